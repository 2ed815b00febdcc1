import { defineConfig } from 'vite'

// During `npm run dev` the API comes from a Stoker on its default port.
export default defineConfig({
    esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
    build: { target: 'es2021', assetsInlineLimit: 0 },
    server: { proxy: { '/api': 'http://127.0.0.1:8701', '/-': 'http://127.0.0.1:8701' } },
})
