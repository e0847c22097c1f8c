import { posix } from 'node:path'
import { importsOf, withoutComments, type Import } from './imports.ts'
import { COMPOSITION, FORBIDDEN_ROOMS, LINES_MAX, MAIN_ROOMS, RESERVED, ROOMS, type Room } from './room-table.ts'

/** A file below `src/`, its path with slashes: `gateway/call.ts`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

interface Source extends SourceFile {
  /** Undefined for the files directly in `src/`. */
  readonly room: string | undefined
  readonly isTest: boolean
  readonly imports: readonly Import[]
}

/** Sentences about what breaks the rules of docs/architecture/rooms.md; empty when all is well. */
export function violations(files: readonly SourceFile[], dependencies: readonly string[]): string[] {
  const sources = files.filter((file) => file.path.endsWith('.ts')).map(read)
  return [
    ...sources.flatMap((source) => [
      ...shapeProblems(source),
      ...source.imports.flatMap((found) => [
        ...formProblems(source, found),
        ...(source.isTest ? [] : [...roomProblems(source, found), ...packageProblems(source, found, dependencies)]),
      ]),
    ]),
    ...folderProblems(files, sources),
    ...cycles(sources),
  ]
}

function read(file: SourceFile): Source {
  const [first = '', second] = file.path.split('/')
  return {
    ...file,
    room: second === undefined ? undefined : first,
    isTest: file.path.endsWith('.test.ts'),
    imports: importsOf(file.text),
  }
}

function shapeProblems({ path, text, isTest }: Source): string[] {
  const code = withoutComments(text)
  const most = COMPOSITION.includes(path) ? LINES_MAX.app : path === 'main.ts' ? LINES_MAX.main : LINES_MAX.file
  return [
    lineCount(text) > most && `${path} has ${lineCount(text)} lines, at most ${most} are allowed`,
    posix.basename(path) === 'index.ts' && `${path} is a barrel: name the file after what it holds`,
    /^\s*export\s+default\b/m.test(code) && `${path} has a default export`,
    !isTest &&
      path !== 'config/env.ts' &&
      readsEnvironment(code) &&
      `${path} reads the environment: only config/env.ts may`,
  ].filter((problem) => problem !== false)
}

function readsEnvironment(code: string): boolean {
  return /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\s*\[|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](node:)?process['"]/.test(
    code,
  )
}

/** How a module may be named: `#room/file` across rooms, a relative path with `.ts` inside one. */
function formProblems({ path, room, isTest }: Source, { specifier, exportsAll }: Import): string[] {
  const problem = (text: string): string[] => [`${path} imports '${specifier}': ${text}`]
  if (exportsAll) return problem('`export *` makes a barrel')
  if (specifier.startsWith('#')) {
    if (!/^#[a-z-]+\/[a-z0-9-]+$/.test(specifier)) return problem('across rooms it is `#room/file`, one segment')
    return specifier.startsWith(`#${room}/`) ? problem('inside a room imports are relative') : []
  }
  if (!specifier.startsWith('.')) return []
  if (!specifier.endsWith('.ts')) return problem('relative imports end in .ts')
  const target = posix.join('src', posix.dirname(path), specifier)
  if (isTest && target.startsWith('test/support/')) return []
  if (room === undefined)
    return COMPOSITION.includes(posix.basename(target)) ? [] : problem('rooms are named `#room/file`')
  return target.startsWith(`src/${room}/`) ? [] : problem('a relative path may not leave the room')
}

function roomProblems({ path, room }: Source, { specifier, typeOnly }: Import): string[] {
  const target = roomOf(specifier)
  if (target === undefined || target === room) return []
  if (!Object.hasOwn(ROOMS, target)) return [`${path} imports '${specifier}': no such room in the table`]
  if (COMPOSITION.includes(path)) return []
  const may: Pick<Room, 'values' | 'types'> | undefined =
    room === undefined ? { values: MAIN_ROOMS, types: [] } : ROOMS[room]
  if (may === undefined || may.values.includes(target)) return []
  if (may.types.includes(target)) {
    return typeOnly ? [] : [`${path} imports values of '${specifier}': types only`]
  }
  return [`${path} imports '${specifier}': ${room ?? path} may not know ${target}`]
}

function packageProblems(
  { path, room }: Source,
  { specifier, typeOnly }: Import,
  dependencies: readonly string[],
): string[] {
  if (/^[#.]/.test(specifier)) return []
  const problem = (text: string): string[] => [`${path} imports '${specifier}': ${text}`]
  for (const { module, rooms, what } of RESERVED) {
    if (module.test(specifier) && !rooms.includes(room ?? '')) return problem(`${what} only in ${rooms.join(', ')}`)
  }
  if (specifier.startsWith('node:')) {
    const isInput = /^node:(fs|net|tls|https?|http2|dgram|dns|child_process|worker_threads|sqlite)(\/|$)/.test(
      specifier,
    )
    return room === 'kernel' && isInput ? problem('kernel does no I/O') : []
  }
  if (room === 'kernel') return problem('kernel stands on nothing')
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  return typeOnly || dependencies.includes(name) ? [] : problem('not among the dependencies of package.json')
}

function folderProblems(files: readonly SourceFile[], sources: readonly Source[]): string[] {
  const rooms = new Set(sources.map((source) => source.room).filter((room) => room !== undefined))
  const readmes = new Map(files.filter(({ path }) => path.endsWith('/README.md')).map((file) => [file.path, file.text]))
  const strays = sources.filter(({ room, path }) => room === undefined && ![...COMPOSITION, 'main.ts'].includes(path))
  return [
    ...strays.map(({ path }) => `${path} stands in no room`),
    ...[...rooms].flatMap((room) => {
      if (FORBIDDEN_ROOMS.includes(room)) return [`${room}/ says nothing about what is inside`]
      if (!Object.hasOwn(ROOMS, room)) return [`${room}/ is no room of the table`]
      const readme = readmes.get(`${room}/README.md`)
      if (readme === undefined) return [`${room}/ has no README.md`]
      return lineCount(readme) > LINES_MAX.readme ? [`${room}/README.md has more than ${LINES_MAX.readme} lines`] : []
    }),
  ]
}

/** Circles of rooms that need each other's values. */
function cycles(sources: readonly Source[]): string[] {
  const needs = new Map<string, Set<string>>()
  for (const { room, isTest, imports } of sources) {
    if (room === undefined || isTest) continue
    const targets = imports.filter((found) => !found.typeOnly).map((found) => roomOf(found.specifier))
    for (const target of targets) {
      if (target !== undefined && target !== room) needs.set(room, (needs.get(room) ?? new Set()).add(target))
    }
  }
  return [...needs.keys()]
    .filter((room) => reaches(needs, room, room))
    .map((room) => `${room}/ is part of a circle of values`)
}

/** Whether a chain of at least one step leads from one room to the other. */
export function reaches(needs: ReadonlyMap<string, Iterable<string>>, from: string, to: string): boolean {
  const seen = new Set<string>()
  const todo = [...(needs.get(from) ?? [])]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next === to) return true
    if (seen.has(next)) continue
    seen.add(next)
    todo.push(...(needs.get(next) ?? []))
  }
  return false
}

function roomOf(specifier: string): string | undefined {
  return /^#([^/]+)\//.exec(specifier)?.[1]
}

function lineCount(text: string): number {
  return text === '' ? 0 : text.trimEnd().split('\n').length
}
