import type { Command } from 'commander'
import { health } from '#contract/health'
import { connect, gatewayCommand, print, type GatewayOptions } from '../command.ts'
import { readAnswer } from '../gateway-client.ts'
import type { CliContext } from '../program.ts'

export function addHealthCommand(program: Command, { io, exitWith }: CliContext): void {
  gatewayCommand(program, {
    usage: 'health',
    summary: 'say whether the gateway works; exits with 1 when it does not',
    examples: ['health --json'],
  }).action(async (options: GatewayOptions) => {
    const client = connect(options, io)
    const answer = await client.get('health')
    const { healthy, status, version, uptime } = readAnswer(health, answer, client.url)
    print(io, options, {
      json: answer.value,
      text: () => `${status}: MetaMCP ${version} at ${client.url}, up ${durationText(uptime)}`,
    })
    if (healthy) return
    io.stderr.write(`metamcp: The gateway at ${client.url} is ${status}\n`)
    exitWith(1)
  })
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h`
}
