import { programName, REFUSED_PROGRAMS } from './program-names.ts'
import { readOptions, type OptionRules } from './program-options.ts'

/** Why these arguments are refused; undefined when they are not. */
type Rule = (args: readonly string[]) => string | undefined

/** Why a program may not run with these arguments: it is a shell, or it would run code that the arguments hold or fetch. */
export function programProblem(program: string, args: readonly string[]): string | undefined {
  const name = programName(program)
  if (REFUSED_PROGRAMS.has(name)) return `${name} is a shell or runs other commands`
  const rule = ruleFor(name)
  return rule ? rule(args) : inlineCodeProblem(args)
}

/** Whether there is a rule for this very program. */
export function isKnownProgram(program: string): boolean {
  const name = programName(program)
  return REFUSED_PROGRAMS.has(name) || ruleFor(name) !== undefined
}

function ruleFor(name: string): Rule | undefined {
  return Object.hasOwn(RULES, name) ? RULES[name] : undefined
}

const INLINE_CODE = /^(-[il]*c|-e|-pe|--eval|--exec|-exec|--execute|--command|--call)(=|$)/

function inlineCodeProblem(args: readonly string[]): string | undefined {
  if (args[0] === 'exec') return 'it runs other commands'
  return args.some((arg) => INLINE_CODE.test(arg)) ? 'an argument may hold code' : undefined
}

const ANY_WORD = /^[^-]/
const NO_OPTIONS: OptionRules = { plain: /^$/ }

/** An interpreter: some options, then a script that is a file here. What follows belongs to the script. */
const runsScript =
  (options: OptionRules): Rule =>
  (args) => {
    const read = readOptions(args, options)
    return read.problem ?? scriptProblem(read.rest[0])
  }

function scriptProblem(script: string | undefined): string | undefined {
  if (script === undefined || script === '' || script === '-') return 'it would read its program from its input'
  if (script === 'inspect') return 'it would open a debugger'
  if (/^[a-z][a-z\d+.-]+:/i.test(script)) return 'its script is no file of this machine'
  if (/(^|[\\/])\.\.([\\/]|$)/.test(script)) return 'the path of its script leads upwards'
  if (/^[~@]/.test(script)) return 'the path of its script is odd'
  return /^\/(dev|proc|sys)\//.test(script) ? 'its script is no ordinary file' : undefined
}

/** What a runner fetches by name: a package of the usual registry, or a program with rules of its own. */
function packageProblem(spec: string | undefined, form: RegExp, args: readonly string[]): string | undefined {
  if (spec === undefined || !form.test(spec)) return 'it must name a package of the public registry'
  return runnableProblem(spec.startsWith('@') ? spec : spec.replace(/[@[=].*$/, ''), args)
}

/** A word that a runner takes for a program: those that have rules keep them. */
function runnableProblem(word: string, args: readonly string[]): string | undefined {
  return isKnownProgram(word) && !word.startsWith('@') ? programProblem(word, args) : undefined
}

const NPM_PACKAGE = /^(@[a-z\d~][\w.~-]*\/)?[a-z\d~][\w.~-]*(@[\w.^~*+-]+)?$/i
const PYTHON_PACKAGE = /^[a-z\d][\w.-]*(\[[\w,.-]+\])?((==|@|>=|~=)[\w.*+!-]+)?$/i
const PLAIN_PATH = /^(\/|[A-Za-z]:[\\/])(?!.*\.\.)[^~]*$/

const runsNpmPackage: Rule = (args) => {
  const read = readOptions(args, {
    plain: /^(-y|--yes|-q|--quiet|-s|--silent|--offline|--prefer-offline|--prefer-online|--bun)$/,
    valued: { '-p': NPM_PACKAGE, '--package': NPM_PACKAGE },
  })
  if (read.problem !== undefined) return read.problem
  const [word, ...rest] = read.rest
  return packageProblem(word, NPM_PACKAGE, rest)
}

const UVX_OPTIONS: OptionRules = {
  plain: /^(-q|--quiet|--offline|--isolated|--refresh|--no-cache|-n|--no-progress)$/,
  valued: { '--from': PYTHON_PACKAGE, '--with': PYTHON_PACKAGE, '--python': /^[\d.]+$/, '-p': /^[\d.]+$/ },
}

const runsPythonPackage: Rule = (args) => {
  const read = readOptions(args, UVX_OPTIONS)
  if (read.problem !== undefined) return read.problem
  const [word, ...rest] = read.rest
  return packageProblem(word, PYTHON_PACKAGE, rest)
}

const UV_PROJECT = { '--directory': PLAIN_PATH, '--project': PLAIN_PATH }

const uv: Rule = (args) => {
  const before = readOptions(args, { plain: /^(-q|--quiet|--offline|--no-cache)$/, valued: UV_PROJECT })
  if (before.problem !== undefined) return before.problem
  const [verb, ...rest] = before.rest
  if (verb === 'tool' && rest[0] === 'run') return runsPythonPackage(rest.slice(1))
  return verb === 'run' ? uvRun(rest) : 'only "run" and "tool run" are allowed'
}

const uvRun: Rule = (args) => {
  const read = readOptions(args, {
    plain: /^(-q|--quiet|--offline|--no-cache|--frozen|--locked|--no-sync|--no-dev|--no-project|--isolated|--active)$/,
    valued: { ...UV_PROJECT, '--with': PYTHON_PACKAGE, '--python': /^[\d.]+$/, '-m': MODULE, '--module': MODULE },
    last: ['-m', '--module'],
  })
  if (read.problem !== undefined) return read.problem
  if (read.values.has('-m') || read.values.has('--module')) return undefined
  const [word, ...rest] = read.rest
  return scriptProblem(word) ?? runnableProblem(word ?? '', rest)
}

/** Modules of Python's own library run code that their arguments hold; those of servers have names of their own. */
const MODULE =
  /^(?!(timeit|pdb|bdb|code|codeop|cProfile|profile|trace|runpy|pip|ensurepip|venv|doctest|unittest|pytest|test|idlelib|turtledemo|zipapp|compileall|py_compile|http|pty|pydoc|webbrowser|lib2to3|asyncio|sqlite3|IPython|ipython|tabnanny|cgi|smtpd|nntplib|pickle|pickletools|antigravity|this|site|sysconfig|xmlrpc|ctypes|subprocess|os|posix|shlex|inspect|ast|dis|tokenize|json|zipfile|tarfile|gzip|base64|quopri|uu)(\.|$))[A-Za-z_]\w*(\.\w+)*$/

const python: Rule = (args) => {
  const read = readOptions(args, {
    plain: /^-([uBOsSEIP]|OO|X(utf8|dev|faulthandler)|Wignore)$/,
    valued: { '-m': MODULE, '-X': /^(utf8(=[01])?|dev|faulthandler)$/, '-W': /^(ignore|default)$/ },
    last: ['-m'],
  })
  if (read.problem !== undefined) return read.problem
  return read.values.has('-m') ? undefined : scriptProblem(read.rest[0])
}

const deno: Rule = (args) => {
  if (args[0] !== 'run') return 'only "run" is allowed'
  const read = readOptions(args.slice(1), {
    plain:
      /^(-A|-q|--quiet|--no-prompt|--no-check|--cached-only|--no-remote|--(allow|deny)-[a-z]+(=[^\s]*)?|--node-modules-dir(=\w+)?)$/,
  })
  if (read.problem !== undefined) return read.problem
  const [script = ''] = read.rest
  return /^(npm|jsr):@?[\w.~-]+(\/[\w.~-]+)*(@[\w.^~*+-]+)?(\/[\w./-]+)?$/.test(script)
    ? undefined
    : scriptProblem(script)
}

const bun: Rule = (args) => {
  if (args[0] === 'x') return runsNpmPackage(args.slice(1))
  const script = args[0] === 'run' ? args[1] : args[0]
  if (script?.startsWith('-')) return 'options are not allowed here'
  return /[\\/.]/.test(script ?? '') ? scriptProblem(script) : 'a script of package.json runs in a shell'
}

/** A package manager: only what downloads a package and runs it. */
const runsVerb =
  (verb: string, then: Rule): Rule =>
  (args) =>
    args[0] === verb ? then(args.slice(1)) : `only "${verb}" is allowed`

const pipx: Rule = runsVerb('run', (args) => {
  const read = readOptions(args, { plain: /^(-q|--quiet|--no-cache)$/, valued: { '--spec': PYTHON_PACKAGE } })
  if (read.problem !== undefined) return read.problem
  return packageProblem(read.rest[0], PYTHON_PACKAGE, read.rest.slice(1))
})

const CONTAINER_OPTIONS: OptionRules = {
  plain: /^(-i|-t|-it|-ti|-q|--rm|--init|--interactive(=true)?|--tty|--quiet|--read-only|--cap-drop=\w+|-e\w+(=.*)?)$/,
  valued: {
    '-e': /^[A-Za-z_]\w*(=.*)?$/,
    '--env': /^[A-Za-z_]\w*(=.*)?$/,
    '--name': /^[\w.-]+$/,
    '--network': /^(none|bridge|default)$/,
    '--net': /^(none|bridge|default)$/,
    '--pull': /^(always|missing|never)$/,
    '--platform': /^[\w/.-]+$/,
    '--cap-drop': /^\w+$/,
    '--security-opt': /^no-new-privileges(:true)?$/,
    '--memory': /^\d+[bkmg]?$/i,
    '-m': /^\d+[bkmg]?$/i,
    '--cpus': /^[\d.]+$/,
    '--pids-limit': /^\d+$/,
    '--label': ANY_WORD,
    '-l': ANY_WORD,
    '--user': /^[1-9]\d*(:\d+)?$/,
    '-u': /^[1-9]\d*(:\d+)?$/,
    '--workdir': PLAIN_PATH,
    '-w': PLAIN_PATH,
  },
}

/** A container that sees nothing of this machine: no mounts, devices, privileges or networks of the host. */
const container: Rule = (args) => {
  const [verb, ...rest] = args[0] === 'container' ? args.slice(1) : args
  if (verb !== 'run') return 'only "run" is allowed'
  const read = readOptions(rest, CONTAINER_OPTIONS)
  if (read.problem !== undefined) return read.problem
  return /^[a-z\d][\w./:@-]*$/i.test(read.rest[0] ?? '') ? undefined : 'it must name an image'
}

const node = runsScript({
  plain:
    /^--(no-warnings|no-deprecation|trace-warnings|trace-deprecation|trace-uncaught|enable-source-maps|use-system-ca|use-openssl-ca|experimental-strip-types|no-experimental-strip-types|preserve-symlinks|preserve-symlinks-main|max-old-space-size=\d+|max-http-header-size=\d+|stack-trace-limit=\d+|unhandled-rejections=\w+|disable-warning=\w+|dns-result-order=\w+)$/,
})

const typescript: Rule = (args) => (args[0] === 'watch' ? 'only a script is allowed' : runsScript(NO_OPTIONS)(args))

const java = runsScript({
  plain: /^(-jar|-server|-Xm[xs]\d+[kmg]?|-D(spring\.(ai\.mcp|main)|logging)\.[\w.-]+=[\w.:/-]*)$/i,
})

const dotnet: Rule = (args) => (/\.dll$/i.test(args[0] ?? '') ? scriptProblem(args[0]) : 'only a .dll file is allowed')

const script = runsScript(NO_OPTIONS)

const RULES: Readonly<Record<string, Rule>> = {
  node,
  nodejs: node,
  tsx: typescript,
  'ts-node': typescript,
  'ts-node-esm': typescript,
  bun,
  deno,
  npx: runsNpmPackage,
  bunx: runsNpmPackage,
  pnpx: runsNpmPackage,
  npm: () => 'use npx',
  pnpm: runsVerb('dlx', runsNpmPackage),
  yarn: runsVerb('dlx', runsNpmPackage),
  python,
  pythonw: python,
  pypy: python,
  py: python,
  uv,
  uvx: runsPythonPackage,
  pipx,
  docker: container,
  podman: container,
  nerdctl: container,
  java,
  dotnet,
  perl: script,
  ruby: script,
  jruby: script,
  php: script,
  lua: script,
  luajit: script,
  tclsh: script,
  wish: script,
  rscript: script,
  julia: script,
  elixir: script,
  erl: () => 'it runs code from its arguments',
  iex: () => 'it runs code from its arguments',
  irb: () => 'it runs code from its arguments',
  ghc: () => 'it runs code from its arguments',
  runghc: script,
  ocaml: script,
  guile: script,
  racket: script,
  sbcl: () => 'it runs code from its arguments',
  swift: script,
  ipython: () => 'it runs code from its arguments',
}
