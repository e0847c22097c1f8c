/** The name by which rules know a program: without folders, ending of a script or executable, and version. */
export function programName(command: string): string {
  const last = command.split(/[\\/]/).at(-1) ?? ''
  const plain = last.toLowerCase().replace(/\.(exe|cmd|bat|com|ps1|js|cjs|mjs)$/, '')
  return SHELLS.has(plain) || REFUSED_PROGRAMS.has(plain) ? plain : plain.replace(/[-.\d]+$/, '')
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ''))

/** Names of these are refused among the arguments, too. */
export const SHELLS: ReadonlySet<string> = words(
  'sh bash rbash zsh fish dash ash ksh ksh93 mksh pdksh csh tcsh pwsh pwsh-preview powershell cmd busybox toybox',
)

/** Shells, programs that start what their arguments say, and programs whose arguments are code. */
export const REFUSED_PROGRAMS: ReadonlySet<string> = words(`
  ${[...SHELLS].join(' ')} lksh oksh yash rc es elvish nu nushell xonsh osh ysh oil murex bash-static zsh-static
  wscript cscript mshta rundll32 regsvr32 msiexec wmic forfiles conhost schtasks certutil bitsadmin installutil msbuild
  env xargs sudo doas su pkexec runuser runas gosu su-exec setpriv capsh chroot nsenter unshare bwrap firejail proot fakeroot
  nohup setsid nice ionice chrt taskset timeout time stdbuf unbuffer script scriptreplay expect watch parallel exec eval
  command builtin source find fd flock setarch linux32 linux64 start-stop-daemon systemd-run at batch crontab tmux screen
  rlwrap tini dumb-init catchsegv faketime strace ltrace gdb lldb perf valgrind ld.so ld-linux ld-linux-x86-64.so entr
  ssh sshpass scp sftp rsync socat nc ncat netcat telnet curl wget aria2c openssl tar zip unzip cpio dd tee cp mv ln install
  awk gawk mawk nawk sed ed ex vi vim nvim view emacs nano less more man m4 bc dc jq git hg svn gcc cc clang tcc as ld
  make gmake cmake ninja just rake gradle gradlew mvn mvnw ant bazel cargo go rustc rustup msbuild nix nix-shell guix apt
  apt-get dpkg yum dnf apk brew snap flatpak pip pip3 easy_install gem corepack volta nvm fnm mise asdf direnv
  poetry pdm hatch rye pixi conda mamba micromamba bundle bundler jbang kubectl helm docker-compose ansible terraform
  osascript automator open xdg-open rundll jshell groovy scala kotlin sqlite3 psql mysql mongo mongosh redis-cli
  cross-env cross-env-shell concurrently dotenv dotenv-cli env-cmd shx zx shelljs nodemon pm2 forever npm-run-all run-s run-p
  onchange chokidar-cli execa-cli supergateway mcp-proxy mcpo wscat tsc-watch patch-package husky lerna nx turbo wireit
`)
