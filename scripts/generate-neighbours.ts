// node scripts/generate-neighbours.ts: assets/static-embeddings/neighbours.bin out of the table beside it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packedNeighbours } from '#search/neighbours'
import { nearestWords } from '#search/nearest-words'

const FOLDER = join(import.meta.dirname, '../assets/static-embeddings')
const vocabulary = readFileSync(join(FOLDER, 'vocab.txt'), 'utf8').split('\n')
const rows = new Int8Array(readFileSync(join(FOLDER, 'tokens-256.i8')).buffer)
writeFileSync(join(FOLDER, 'neighbours.bin'), packedNeighbours(nearestWords(vocabulary, rows), vocabulary.length))
