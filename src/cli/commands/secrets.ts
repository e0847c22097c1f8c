import type { Command } from 'commander'
import { rotationAnswer } from '#contract/secrets'
import { commandGroup, connect, gatewayCommand, print, withProgress, type GatewayOptions } from '../command.ts'
import { readAnswer } from '../gateway-client.ts'
import type { CliContext } from '../program.ts'

const TIMEOUT_MS = 600_000

export function addSecretsCommand(program: Command, { io }: CliContext): void {
  const group = commandGroup(program, {
    usage: 'secrets',
    summary: 'what the gateway keeps sealed',
    examples: ['secrets rotate'],
  })
  gatewayCommand(group, {
    usage: 'rotate',
    summary: 'seal all stored secrets with a new key, or with the one of META_MCP_SECRET_KEY',
    examples: ['secrets rotate'],
  }).action(async (options: GatewayOptions) => {
    const client = connect(options, io)
    const rotation = client.post('admin/secrets/rotate', '{}', TIMEOUT_MS)
    const answer = await withProgress(io, 'Sealing', rotation)
    const { is_new: isNew, resealed, locked } = readAnswer(rotationAnswer, answer, client.url)
    const key = isNew ? 'a new key; tokens are signed with it from the next start' : 'the key of META_MCP_SECRET_KEY'
    print(io, options, { json: answer.value, text: () => `${records(resealed)} sealed anew with ${key}.` })
    if (locked > 0) io.stderr.write(`metamcp: ${records(locked)} left as they are: no key opens them\n`)
  })
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count} records`
}
