// `stoker rules check` and `stoker rules test` beside Prometheus' promtool, on the same files with the same verdicts;
// and alerts that go on after the process was killed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { binary, getJson, root, startStoker, stopAll, temporaryDirectory, until } from './lib/stoker.mjs'

after(stopAll)

const run = (program, args, cwd) => spawnSync(program, args, { encoding: 'utf8', timeout: 30_000, cwd })
const stokerRules = (args, cwd) => run(binary, ['rules', ...args], cwd)
const skip = run('promtool', ['--version']).error ? 'promtool is not installed' : false

const rules = `
groups:
  - name: record
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - record: job:errors:rate5m:max
        expr: max_over_time(job:errors:rate5m[10m])
        labels: {team: infra}
  - name: alerts
    interval: 30s
    rules:
      - alert: InstanceDown
        expr: up == 0
        for: 5m
        labels: {severity: page, where: '{{ $labels.instance }}@{{ $externalLabels.cluster }}'}
        annotations:
          summary: 'Instance {{ $labels.instance }} down'
          description: '{{ if eq $labels.job "a" }}first{{ else }}other{{ end }}: {{ $value | printf "%.1f" }}'
      - alert: Errors
        expr: job:errors:rate5m > 0.5
        keep_firing_for: 3m
        annotations:
          rate: '{{ $value | humanize }}/s, {{ with query "up" | sortByLabel "instance" }}{{ . | first | value }}{{ end }}'
          broken: '{{ gt $value 5 }}'
          all: '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }};{{ end }}'
      - alert: Pending
        expr: ALERTS{alertname="InstanceDown",alertstate="pending"}
`

const input = `
    input_series:
      - {series: 'up{job="a",instance="h1"}', values: '1x2 0x20'}
      - {series: 'up{job="b",instance="h2"}', values: '1 1 _ 0 stale 1x20'}
      - {series: 'errors_total{job="a"}', values: '0+60x10 600x20'}`

const tests = {
    'an alert with its labels and annotations': `
  - interval: 1m${input}
    external_labels: {cluster: eu}
    alert_rule_test:
      - {eval_time: 7m, alertname: InstanceDown}
      - eval_time: 8m
        alertname: InstanceDown
        exp_alerts:
          - exp_labels: {job: a, instance: h1, severity: page, where: h1@eu}
            exp_annotations: {summary: Instance h1 down, description: 'first: 0.0'}`,
    'another label than expected': `
  - interval: 1m${input}
    alert_rule_test:
      - eval_time: 8m
        alertname: InstanceDown
        exp_alerts: [{exp_labels: {job: a, instance: h1, severity: warning, where: 'h1@'}}]`,
    'an alert that is not expected': `
  - interval: 1m${input}
    alert_rule_test: [{eval_time: 9m, alertname: InstanceDown, exp_alerts: []}]`,
    'an alert that does not fire yet': `
  - interval: 1m${input}
    alert_rule_test: [{eval_time: 7m59s, alertname: InstanceDown, exp_alerts: []}]`,
    'recorded series': `
  - interval: 1m${input}
    promql_expr_test:
      - expr: job:errors:rate5m
        eval_time: 6m
        exp_samples: [{labels: 'job:errors:rate5m{job="a"}', value: 1}]
      - expr: job:errors:rate5m:max
        eval_time: 15m
        exp_samples: [{labels: 'job:errors:rate5m:max{job="a",team="infra"}', value: 1}]`,
    'a recorded value that is another': `
  - interval: 1m${input}
    promql_expr_test:
      - expr: job:errors:rate5m
        eval_time: 6m
        exp_samples: [{labels: 'job:errors:rate5m{job="a"}', value: 1.01}]`,
    'keep_firing_for, with queries and errors in annotations': `
  - interval: 1m${input}
    alert_rule_test:
      - eval_time: 6m
        alertname: Errors
        exp_alerts:
          - exp_labels: {job: a}
            exp_annotations:
              rate: 1/s, 0
              all: h1=0;h2=1;
              broken: '<error expanding template: error executing template __alert_Errors: template: __alert_Errors:1:115: executing "__alert_Errors" at <gt $value 5>: error calling gt: incompatible types for comparison>'
      - eval_time: 18m
        alertname: Errors`,
    'keep_firing_for until its end': `
  - interval: 1m${input}
    promql_expr_test:
      - expr: count_over_time(ALERTS{alertname="Errors",alertstate="firing"}[30m])
        eval_time: 25m
        exp_samples: [{labels: '{alertname="Errors",alertstate="firing",job="a"}', value: 15}]
      - expr: ALERTS_FOR_STATE{alertname="InstanceDown"}
        eval_time: 10m
        exp_samples:
          - {labels: 'ALERTS_FOR_STATE{alertname="InstanceDown",instance="h1",job="a",severity="page",where="h1@"}', value: 180}`,
    'scalars, nothing and staleness': `
  - interval: 1m${input}
    promql_expr_test:
      - {expr: '1 + 1', eval_time: 1m, exp_samples: [{labels: '{}', value: 2}]}
      - {expr: 'up{instance="h2"}', eval_time: 4m, exp_samples: []}
      - {expr: 'time()', eval_time: 90s, exp_samples: [{value: 90}]}
      - {expr: 'up{instance="h2"}', eval_time: 2m, exp_samples: [{labels: 'up{instance="h2",job="b"}', value: 1}]}`,
    'NaN equals nothing': `
  - interval: 1m
    input_series: [{series: x, values: 'NaN'}]
    promql_expr_test: [{expr: x, eval_time: 0, exp_samples: [{labels: x, value: .nan}]}]`,
    'an expression that is wrong': `
  - interval: 1m${input}
    promql_expr_test: [{expr: 'sum(', eval_time: 1m, exp_samples: []}]`,
    'an expression that is a text': `
  - interval: 1m${input}
    promql_expr_test: [{expr: '"x"', eval_time: 1m, exp_samples: []}]`,
    'labels that are wrong': `
  - interval: 1m${input}
    promql_expr_test: [{expr: 'up', eval_time: 1m, exp_samples: [{labels: 'up{', value: 1}]}]`,
    'an alert test without a name': `
  - interval: 1m${input}
    alert_rule_test: [{eval_time: 1m}]`,
    'a field that is unknown': `
  - interval: 1m${input}
    alert_rule_tests: []`,
    'series that are wrong': `
  - interval: 1m
    input_series: [{series: x, values: '1 2 three'}]
    promql_expr_test: [{expr: x, eval_time: 0, exp_samples: []}]`,
    'alerts about alerts, of a series with holes': `
  - interval: 1m${input}
    alert_rule_test:
      - eval_time: 4m
        alertname: Pending
        exp_alerts: [{exp_labels: {alertstate: pending, instance: h1, job: a, severity: page, where: 'h1@'}}]`,
    'two series that become one': `
  - interval: 1m
    input_series:
      - {series: 'twice{x="1"}', values: '1x5'}
      - {series: 'twice{x="2"}', values: '1x5'}
    promql_expr_test: [{expr: one, eval_time: 2m, exp_samples: []}]`,
}

test("the built-in rules' own tests pass", () => {
    for (const name of ['ledgers', 'agents', 'collection']) {
        const file = join(root, `test/rules/${name}.yaml`)
        const ours = stokerRules(['test', file])
        assert.equal(ours.status, 0, ours.stdout + ours.stderr)
        if (!skip) assert.equal(run('promtool', ['test', 'rules', file]).status, 0, name)
    }
})

test('unit tests of rules have the verdicts of promtool', { skip }, async () => {
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'rules.yaml'), rules)
    writeFileSync(join(dir, 'twice.yaml'), 'groups: [{name: g, rules: [{record: one, expr: "label_replace(twice, \\"x\\", \\"0\\", \\"\\", \\"\\")"}]}]')
    const verdicts = []
    for (const [name, body] of Object.entries(tests)) {
        const file = join(dir, 'test.yaml')
        const files = name === 'two series that become one' ? 'twice.yaml' : 'rules.yaml'
        writeFileSync(file, `rule_files: [${files}]\nevaluation_interval: 1m\ngroup_eval_order: [record, alerts]\ntests:${body}\n`)
        const theirs = run('promtool', ['test', 'rules', file], dir)
        const ours = stokerRules(['test', file], dir)
        assert.equal(ours.status, theirs.status, `${name}\npromtool:\n${theirs.stdout}${theirs.stderr}\nstoker:\n${ours.stdout}${ours.stderr}`)
        assert.match(ours.stdout, /\d+ passed, \d+ failed\n$/)
        verdicts.push(ours.status)
    }
    assert.ok(verdicts.filter((status) => status === 0).length >= 6)
    assert.ok(verdicts.filter((status) => status === 1).length >= 6)
})

test('a failed test says what was expected and what came', () => {
    const dir = temporaryDirectory()
    writeFileSync(join(dir, 'rules.yaml'), rules)
    writeFileSync(join(dir, 'test.yaml'), `rule_files: ['*.yaml', rules.yaml]
tests:
  - name: mine
    interval: 1m
    input_series: [{series: 'up{i="1"}', values: '1 2'}]
    promql_expr_test: [{expr: up, eval_time: 1m, exp_samples: [{labels: 'up{i="1"}', value: 3}]}]
`.replace("'*.yaml', ", ''))
    const shown = stokerRules(['test', 'test.yaml'], dir)
    assert.equal(shown.status, 1)
    assert.match(shown.stdout, /test\.yaml:6: expr "up" at 1m \(mine\)\n {4}\+ up\{i="1"\} 2\n {4}- up\{i="1"\} 3\n0 passed, 1 failed\n$/)
    const json = JSON.parse(stokerRules(['test', '--json', 'test.yaml'], dir).stdout)
    assert.deepEqual([json.ok, json.passed, json.failed, json.files[0].failures[0].line], [false, 0, 1, 6])
})

test('rule files are judged as promtool judges them', { skip }, () => {
    const dir = temporaryDirectory()
    const rule = (text) => `groups:\n- name: g\n  rules:\n${text}\n`
    const cases = {
        good: rules,
        empty: '',
        'not yaml': 'groups: [',
        'an unknown field': rule('  - {record: a, expr: up, fro: 5m}'),
        'no name': 'groups: [{rules: []}]',
        'a group twice': 'groups: [{name: g}, {name: g}]',
        'both kinds': rule('  - {record: a, alert: b, expr: up}'),
        'neither kind': rule('  - {expr: up}'),
        'no expression': rule('  - {record: a}'),
        'a bad expression': rule('  - {record: a, expr: "sum("}'),
        'for in a recording rule': rule('  - {record: a, expr: up, for: 5m}'),
        'annotations in a recording rule': rule('  - {record: a, expr: up, annotations: {a: b}}'),
        'a bad duration': rule('  - {alert: a, expr: up, for: soon}'),
        'a bad template': rule('  - {alert: a, expr: up, annotations: {a: "{{ nothing }}"}}'),
        'an open template': rule('  - {alert: a, expr: up, annotations: {a: "{{ if $value }}"}}'),
        'no template in a recording rule': rule('  - {record: a, expr: up, labels: {a: "{{ nothing }}"}}'),
        'a template that fails only when run': rule('  - {alert: a, expr: up, labels: {a: "{{ .Foo }}"}}'),
        'a forbidden label': rule('  - {alert: a, expr: up, labels: {__name__: b}}'),
        'a rule twice': rule('  - {record: a, expr: up}\n  - {record: a, expr: down}'),
    }
    for (const [name, text] of Object.entries(cases)) {
        writeFileSync(join(dir, 'r.yaml'), text)
        const theirs = run('promtool', ['check', 'rules', 'r.yaml'], dir)
        const ours = stokerRules(['check', 'r.yaml'], dir)
        assert.equal(ours.status, theirs.status, `${name}\npromtool:\n${theirs.stdout}${theirs.stderr}\nstoker:\n${ours.stdout}${ours.stderr}`)
    }
    assert.equal(run('promtool', ['check', 'rules', '--lint-fatal', 'r.yaml'], dir).status, 3)
    assert.equal(stokerRules(['check', '--lint-fatal', 'r.yaml'], dir).status, 3)
    const json = JSON.parse(stokerRules(['check', '--json', 'r.yaml'], dir).stdout)
    assert.equal(json.lint[0].message, 'duplicate rule: `a` is also at line 4')
})

test('a problem is told with its place and what to do', () => {
    const dir = temporaryDirectory()
    const file = join(dir, 'r.yaml')
    const place = (text) => {
        writeFileSync(file, text)
        const { problems } = JSON.parse(stokerRules(['check', '--json', file]).stdout)
        return `${problems[0].line}:${problems[0].column} ${problems[0].message}`
    }
    assert.match(place('groups:\n- name: g\n  rules:\n  - record: a\n    expr: rate(up)\n'), /^5:16 parse error: expected type range vector/)
    assert.match(place('groups:\n- name: g\n  rules:\n  - record: a\n    expr: |\n      up +\n        rate(up)\n'), /^7:14 parse error/)
    assert.match(place('groups:\n- name: g\n  rules:\n  - alert: a\n    expr: up\n    annotations: {s: "a {{ nothing }}"}\n'), /^6:28 template: function "nothing" not defined/)
    assert.match(place('groups:\n- name: g\n  intervall: 5s\n'), /^3:3 unknown field; did you mean `interval`\?/)
})

test('the shipped rules are good', { skip }, () => {
    const files = join(root, 'config/rules')
    const ours = stokerRules(['check', '--lint-fatal', join(files, '*.yaml')])
    assert.equal(ours.status, 0, ours.stdout + ours.stderr)
    const theirs = run('sh', ['-c', 'promtool check rules "$0"/*.yaml', files])
    assert.equal(theirs.status, 0, theirs.stdout + theirs.stderr)
})

test('alerts outlive a SIGKILL: who fires fires on, who waits has its clock', { timeout: 120_000 }, async () => {
    const dir = temporaryDirectory()
    mkdirSync(join(dir, 'rules'))
    writeFileSync(join(dir, 'rules', 'r.yaml'), `
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: Fires, expr: vector(1) > 0, for: 2s, annotations: {at: '{{ $externalLabels.cluster }} {{ externalURL }}'}}
      - {alert: Waits, expr: vector(1) > 0, for: 1h}
      - {alert: Lingers, expr: 'absent(stoker_no_such_metric) and on () (vector(time()) < UNTIL)', keep_firing_for: 1h}
`.replace('UNTIL', String(Math.floor(Date.now() / 1000) + 8)))
    const config = 'rules: {files: [rules/*.yaml]}\ncollect: {discovery: {enabled: false}}\nexternal_labels: {cluster: eu}\nexternal_url: https://stoker.example\n'
    let stoker = await startStoker({ dir, config })
    const alerts = async () => Object.fromEntries((await getJson(`${stoker.console}/api/v1/alerts`)).data.alerts.map((alert) => [alert.labels.alertname, alert]))
    const before = await until('two fire', async () => {
        const now = await alerts()
        return now.Fires?.state === 'firing' && now.Lingers?.state === 'firing' && now.Waits ? now : null
    }, 30_000, 200)
    assert.equal(before.Waits.state, 'pending')
    assert.equal(before.Fires.annotations.at, 'eu https://stoker.example')
    await stoker.kill('SIGKILL')
    const killed = Date.now()
    await until('the condition of Lingers is over', () => Date.now() > killed + 8_000, 20_000, 100)

    stoker = await startStoker({ dir, config })
    const now = await until('all three are back', async () => {
        const found = await alerts()
        return found.Fires && found.Waits && found.Lingers ? found : null
    }, 20_000, 50)
    const down = Date.now() - killed
    const moved = (name) => Date.parse(now[name].activeAt) - Date.parse(before[name].activeAt)
    assert.equal(now.Fires.state, 'firing', 'at its first evaluation')
    assert.ok(Math.abs(moved('Fires')) <= 1_000, `Fires began ${moved('Fires')} ms later`)
    assert.equal(now.Waits.state, 'pending')
    // The clock stood still while nobody looked, and no longer.
    assert.ok(moved('Waits') > 5_000 && moved('Waits') <= down + 3_000, `Waits began ${moved('Waits')} ms later, ${down} ms down`)
    assert.equal(now.Lingers.state, 'firing')
    assert.ok(now.Lingers.keepFiringSince)
})
