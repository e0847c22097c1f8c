import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sick, startGatewayChild } from '../support/gateway-child.ts'
import { hasPrometheus, startAlertmanager, startPrometheus } from '../support/prometheus.ts'
import { startBackend } from '../support/recording-backend.ts'
import { scrape } from '../support/scrape.ts'
import { newDirectory, startTestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'

const FOLDER = join(import.meta.dirname, '../../deploy/monitoring')
const DASHBOARDS = join(FOLDER, 'grafana/dashboards')

function metricsIn(text: string): string[] {
  return [...new Set(text.match(/\b(?:metamcp|process|nodejs)_[a-z0-9_]+\b/g))]
}

interface Dashboard {
  readonly uid: string
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

function expressions(): string[] {
  const files = readdirSync(DASHBOARDS).map((file) => readFileSync(join(DASHBOARDS, file), 'utf8'))
  const panels = files.flatMap((text) => (JSON.parse(text) as Dashboard).panels)
  expect(panels.length).toBeGreaterThan(20)
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
}

/** An alert on a name that nobody counts never fires, and nobody notices. */
test('every metric in the alerts and dashboards is on /metrics of a running gateway (R240, R241)', async () => {
  await using app = await startTestApp({
    file: { servers: { healthy: sick('healthy') } },
    env: { META_MCP_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
  })
  await app.api.online('healthy')
  await app.api.execute('healthy__echo', { said: 'x' })
  const { text } = await scrape(app.listening.url)
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  )
  const rules = readFileSync(join(FOLDER, 'alerts.yml'), 'utf8').match(/^ +(?:expr:|sum|\/ sum).*$/gm) ?? []
  const named = metricsIn([...rules, ...expressions()].join('\n'))
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter((name) => !families.includes(name))).toEqual([])
})

interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly state: string
}

interface Hosts {
  readonly gateway: string
  readonly alertmanager: string
  readonly webhook: string
}

function hostOf(url: string): string {
  return new URL(url).host
}

/** A copy of the folder in which minutes are moments, for one gateway and one Alertmanager. */
async function quickened(directory: string, hosts: Hosts): Promise<string> {
  await cp(FOLDER, directory, { recursive: true })
  const change = async (file: string, edit: (text: string) => string) =>
    writeFile(join(directory, file), edit(await readFile(join(directory, file), 'utf8')))
  await change('prometheus.yml', (text) =>
    text
      .replaceAll('interval: 15s', 'interval: 500ms')
      .replace('localhost:8000', hosts.gateway)
      .replace('localhost:9093', hosts.alertmanager),
  )
  await change('alerts.yml', (text) => text.replaceAll(/for: \d+m/g, 'for: 1s'))
  await change('alertmanager.yml', (text) =>
    text.replaceAll('http://localhost:9095', hosts.webhook).replaceAll(/group_wait: 10s/g, 'group_wait: 100ms'),
  )
  return directory
}

describe.skipIf(!hasPrometheus())('Prometheus', () => {
  test('promtool and amtool find nothing wrong, and the rules pass their own tests (R240, R242)', async () => {
    await using place = await newDirectory()
    await cp(FOLDER, place.path, { recursive: true })
    await writeFile(join(place.path, 'metamcp.key'), 'a-key')
    const run = (command: string, ...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: place.path, encoding: 'utf8' })
      expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0)
    }
    run('promtool', 'check', 'config', 'prometheus.yml')
    run('promtool', 'check', 'rules', 'alerts.yml')
    run('promtool', 'test', 'rules', 'alerts.test.yml')
    run('amtool', 'check-config', 'alertmanager.yml')
  })

  test('scrapes a gateway with a key, and when the gateway dies its alert goes out (R240, R242)', async () => {
    await using place = await newDirectory()
    await using pager = await startBackend()
    pager.on('/pager', '{}')
    pager.on('/operators', '{}')
    await using gateway = await startGatewayChild({
      directory: join(place.path, 'gateway'),
      file: { servers: { healthy: sick('healthy') } },
    })
    const hosts = { gateway: hostOf(gateway.url), alertmanager: 'localhost:9', webhook: pager.url }
    const posts = await quickened(join(place.path, 'alertmanager'), hosts)
    await using alertmanager = await startAlertmanager(posts)
    const folder = await quickened(join(place.path, 'prometheus'), { ...hosts, alertmanager: hostOf(alertmanager.url) })
    const made = await gateway.api.send<{ key: string }>('POST', 'api-keys', {
      name: 'prometheus',
      permissions: ['metrics:read'],
    })
    expect(made.status, made.text).toBe(201)
    await writeFile(join(folder, 'metamcp.key'), made.body.key)
    await using prometheus = await startPrometheus(folder)

    const value = async (query: string) => {
      const reply = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
        () => undefined,
      )
      const body = (await reply?.json().catch(() => undefined)) as { data?: { result: { value: [number, string] }[] } }
      return body?.data?.result[0]?.value[1]
    }
    await until('it is scraped', async () => (await value('up{job="metamcp"}')) === '1')
    expect(await value('metamcp_storage_up')).toBe('1')

    gateway.signal('SIGKILL')
    await gateway.exited
    const firing = async () => {
      const reply = await fetch(`${prometheus.url}/api/v1/alerts`)
      const { data } = (await reply.json()) as { data: { alerts: FiringAlert[] } }
      return data.alerts.find(({ labels, state }) => labels['alertname'] === 'MetamcpDown' && state === 'firing')
    }
    await until('the alert fires', async () => (await firing()) !== undefined, 30_000)
    await until(
      'the pager hears of it',
      () => pager.seen.some(({ path, body }) => path === '/pager' && body.includes('MetamcpDown')),
      30_000,
    )
  })
})
