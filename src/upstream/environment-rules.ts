/** Names that change how a program, its interpreter or what it starts loads code, finds files or trusts others. */
const REFUSED_NAMES = new Set(
  `APPDATA BASHOPTS BROWSER CDPATH CLASSPATH COMSPEC CURL_CA_BUNDLE EDITOR ENV FPATH GCONV_PATH
   GETCONF_DIR GLOBIGNORE GTK_MODULES GTK_PATH HOME HOSTALIASES IFS JAVA_HOME LESSCLOSE LESSOPEN LOCALAPPDATA LOCALDOMAIN
   LOCPATH MANPAGER NIS_PATH NLSPATH PAGER PATH PATHEXT PROMPT_COMMAND PS4 PSMODULEPATH REQUESTS_CA_BUNDLE RESOLV_HOST_CONF
   RES_OPTIONS R_ENVIRON R_ENVIRON_USER R_HOME R_LIBS R_LIBS_USER R_PROFILE R_PROFILE_USER SHELL SHELLOPTS SSH_ASKPASS
   SSLKEYLOGFILE SSL_CERT_DIR SSL_CERT_FILE SUDO_ASKPASS SYSTEMROOT TERMCAP TERMINFO TERMINFO_DIRS TMPDIR TZDIR USERPROFILE
   VIRTUAL_ENV VISUAL VSCODE_INSPECTOR_OPTIONS WINDIR XDG_CONFIG_DIRS XDG_CONFIG_HOME XDG_DATA_DIRS XDG_DATA_HOME ZDOTDIR
   LUA_INIT LUA_PATH LUA_CPATH GOFLAGS GOPROXY GOROOT GOPATH GOENV GODEBUG RUSTFLAGS RUSTC RUSTC_WRAPPER`
    .split(/\s+/)
    .filter((name) => name !== ''),
)

const REFUSED_PREFIXES =
  `LD_ DYLD_ _RLD NODE_ NPM_ PNPM_ YARN_ BUN_ DENO_ TS_NODE_ TSX_ ELECTRON_ PYTHON PIP_ PIPX_ UV_ POETRY_ CONDA_ PERL RUBY GEM_
   BUNDLE_ PHP JAVA_ _JAVA JDK_ MAVEN_ GRADLE_ DOTNET_ CORECLR_ COR_ COMPLUS_ MONO_ GIT_ BASH_ OPENSSL_ GLIBC_ MALLOC_ LIBC_
   DOCKER_ CONTAINER_ PODMAN_ CARGO_ JULIA_ ERL_ ELIXIR_ GIO_ META_MCP_`
    .split(/\s+/)
    .filter((prefix) => prefix !== '')

/** Of those prefixes: names that servers document and that load nothing. */
const HARMLESS = new Set([
  'NODE_ENV',
  'NODE_NO_WARNINGS',
  'PYTHONUNBUFFERED',
  'PYTHONIOENCODING',
  'PYTHONUTF8',
  'PYTHONDONTWRITEBYTECODE',
])

/** Why this environment may not be given to a command; undefined when it may. Windows does not tell the cases apart. */
export function environmentProblem(env: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) return 'a variable of its environment has an odd name'
    if (/[\0\r\n]/.test(value)) return `the variable ${name} holds a line break or U+0000`
    if (value.startsWith('()')) return `the variable ${name} looks like a function of a shell`
    if (isRefused(name.toUpperCase())) return `the variable ${name} may change which code runs`
  }
  return undefined
}

function isRefused(name: string): boolean {
  if (HARMLESS.has(name)) return false
  return REFUSED_NAMES.has(name) || REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix))
}
