import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

const STOP_MS_MAX = 10_000

/** Whether this machine has Prometheus, Alertmanager and their tools. */
export function hasPrometheus(): boolean {
  const programs = ['prometheus', 'promtool', 'prometheus-alertmanager', 'amtool']
  return programs.every((program) => spawnSync(program, ['--version']).status === 0)
}

/** A Prometheus of our own on a free port of 127.0.0.1. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string
  said(): string
}

/** `directory` has `prometheus.yml`, and gets the data. */
export async function startPrometheus(directory: string): Promise<PrometheusServer> {
  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  return { url: `http://127.0.0.1:${port}`, said: heardFrom(child), [Symbol.asyncDispose]: () => stop(child) }
}

/** An Alertmanager of our own. */
export async function startAlertmanager(directory: string): Promise<PrometheusServer> {
  const port = await freePort()
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'alerts')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  return { url: `http://127.0.0.1:${port}`, said: heardFrom(child), [Symbol.asyncDispose]: () => stop(child) }
}

function heardFrom(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return () => text
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  child.kill('SIGTERM')
  await exited
  clearTimeout(kill)
}
