import { render } from 'preact'
import { App } from './app'
import { I18nProvider } from './i18n'
import './style.css'
import { applyTheme } from './theme'

applyTheme()
render(
    <I18nProvider>
        <App />
    </I18nProvider>,
    document.getElementById('app')!,
)
