import { say, serveTools, text } from './mini-server.ts'

const PART = 'x'.repeat(64 * 1024)

// Tells its progress in long words, as many as it is asked for.
serveTools({
  talk: ({ parts }, meta) => {
    const { progressToken = 0 } = meta ?? {}
    for (let progress = 0; progress < Number(parts); progress += 1)
      say({ method: 'notifications/progress', params: { progressToken, progress, message: PART } })
    return text('said')
  },
})
