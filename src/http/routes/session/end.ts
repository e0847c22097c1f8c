import { messageAnswer } from '#contract/auth'
import { AppError } from '#kernel/errors'
import { sessionCookie } from '../../cookie-session.ts'
import { endpoint } from '../../endpoint.ts'

export const endSession = endpoint({
  method: 'DELETE',
  path: '/api/v1/auth/session',
  access: 'self',
  group: 'auth',
  summary: 'End the session of this browser, at once',
  status: 200,
  answer: messageAnswer,

  async handle({ identity }, { session, setCookie }) {
    if (session === undefined) throw new AppError('not_found', 'This request has no session')
    await identity.pairs.end(session)
    setCookie(sessionCookie())
    return { message: 'Logged out' }
  },
})
