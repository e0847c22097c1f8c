import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { AppError, messageOf } from '#kernel/errors'
import { httpTransport } from '#kernel/http-transport'
import type { Connection } from '#registry/records'
import type { FoundServer } from './found-server.ts'

const FILE_BYTES_MAX = 1024 * 1024
const FILES_MAX = 1000

/**
 * The servers that a file names, or the files of a directory: a list of entries with names, or an `mcpServers` or `servers`
 * object as MCP clients write it. `${…}` stays as it is: who may write there may not read the gateway's environment.
 * Rejects with AppError `policy_violation` outside the allowed directories, `not_found`, `validation_error`.
 */
export async function readServers(path: string, allowedDirectories: readonly string[]): Promise<FoundServer[]> {
  const place = await allowedPlace(path, allowedDirectories)
  if ((await stat(place)).isFile()) return readServerFile(place)
  const names = (await readdir(place)).filter(isServerFile).sort().slice(0, FILES_MAX)
  const found: FoundServer[] = []
  for (const name of names) {
    // One broken file costs its own servers only.
    const servers = allowedPlace(join(place, name), allowedDirectories).then(readServerFile)
    found.push(...(await servers.catch((error: unknown) => [{ name, refused: messageOf(error) }])))
  }
  return found
}

async function allowedPlace(path: string, allowedDirectories: readonly string[]): Promise<string> {
  const roots = await Promise.all(allowedDirectories.map((directory) => realpath(directory).catch(() => directory)))
  const place = await realpath(path).catch(() => undefined)
  const isAllowed = (candidate: string): boolean => roots.some((root) => isInside(root, candidate))
  // What is missing is told apart from what is forbidden only where looking is allowed.
  if (place === undefined && isAllowed(path)) throw new AppError('not_found', `There is no ${basename(path)} here`)
  if (place !== undefined && isAllowed(place)) return place
  throw new AppError(
    'policy_violation',
    'Servers are looked for only beside the configuration file and in the data directory',
  )
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return isAbsolute(path) && !isAbsolute(way) && !/^\.\.([\\/]|$)/.test(way)
}

function isServerFile(name: string): boolean {
  return /^[^.].*\.(json|ya?ml)$/i.test(name)
}

async function readServerFile(path: string): Promise<FoundServer[]> {
  const { size } = await stat(path).then((stats) => {
    if (stats.isFile() && isServerFile(basename(path))) return stats
    throw new AppError('validation_error', `${basename(path)} is no JSON or YAML file`)
  })
  if (size > FILE_BYTES_MAX) throw unusable(path, `is larger than ${FILE_BYTES_MAX} bytes`)
  return entriesOf(path, treeOf(path, await readFile(path, 'utf8'))).map(foundServer)
}

function treeOf(path: string, text: string): unknown {
  try {
    const document = parseDocument(text, { prettyErrors: false })
    const [error] = document.errors
    if (!error) return document.toJS() as unknown
    // The parser's own sentence may quote the file.
    throw unusable(path, `is not valid YAML or JSON at line ${text.slice(0, error.pos[0]).split('\n').length}`)
  } catch (error) {
    throw error instanceof AppError ? error : unusable(path, 'is not valid YAML or JSON')
  }
}

const section = z.record(z.string(), z.unknown())
const fileSchema = z.union([
  z.array(z.looseObject({ name: z.string() })),
  z.object({ mcpServers: section }).transform(({ mcpServers }) => mcpServers),
  z.object({ servers: section }).transform(({ servers }) => servers),
])

type Entry = readonly [name: string, entry: unknown]

function entriesOf(path: string, tree: unknown): Entry[] {
  const { data } = fileSchema.safeParse(tree)
  if (!data) throw unusable(path, 'holds neither a list of servers with names nor "mcpServers" or "servers"')
  return Array.isArray(data) ? data.map(({ name, ...entry }) => [name, entry]) : Object.entries(data)
}

function unusable(path: string, problem: string): AppError {
  return new AppError('validation_error', `${basename(path)} ${problem}`)
}

const scalarText = z.union([z.string(), z.number(), z.boolean()]).transform(String)
const common = { description: z.string().max(20_000).optional(), disabled: z.boolean().optional() }
const entrySchema = z.union([
  z.object({
    ...common,
    command: z.string().min(1),
    url: z.undefined().optional(),
    args: z.array(scalarText).default([]),
    env: z.record(z.string(), scalarText).default({}),
    cwd: z.string().optional(),
  }),
  z.object({
    ...common,
    command: z.undefined().optional(),
    url: z.string().min(1),
    headers: z.record(z.string(), scalarText).default({}),
    type: z.string().optional(),
    transport: z.string().optional(),
  }),
])

const nameSchema = z.string().regex(/^(?!\s)[^\p{Cc}\p{Cs}]{1,128}(?<!\s)$/u)

function foundServer([name, entry]: Entry): FoundServer {
  const shown = name.replaceAll(/[\p{Cc}\p{Cs}]/gu, '?').slice(0, 128) || '(no name)'
  const { data } = entrySchema.safeParse(entry)
  if (!nameSchema.safeParse(name).success) return { name: shown, refused: 'It has no usable name' }
  if (!data) return { name, refused: 'It needs either a command with args and env, or a url with headers' }
  return {
    name,
    connection: connectionOf(data),
    ...(data.description === undefined ? {} : { description: data.description }),
    ...(data.disabled === true ? { refused: 'It is disabled there' } : {}),
  }
}

function connectionOf(entry: z.infer<typeof entrySchema>): Connection {
  if (entry.url !== undefined) {
    const transport = httpTransport(entry.url, entry.transport ?? entry.type)
    return { kind: 'http', url: entry.url, headers: entry.headers, transport }
  }
  const { command, args, env, cwd } = entry
  return { kind: 'stdio', command, args, env, ...(cwd === undefined ? {} : { cwd }) }
}
