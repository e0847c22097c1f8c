// dist/ resolves `#room/file` by its own package.json, so that the same imports work from src/ and from dist/.
import { writeFileSync } from 'node:fs'

const manifest = { type: 'module', imports: { '#*': './*.js' } }
writeFileSync(new URL('../dist/package.json', import.meta.url), `${JSON.stringify(manifest)}\n`)
