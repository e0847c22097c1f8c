import { sessionAnswer } from '#contract/auth'
import { AppError } from '#kernel/errors'
import { csrfTokenOf } from '../../cookie-session.ts'
import { endpoint } from '../../endpoint.ts'

export const getSession = endpoint({
  method: 'GET',
  path: '/api/v1/auth/session',
  access: 'self',
  group: 'auth',
  summary: 'What a page needs to change something: the CSRF token of its session',
  status: 200,
  answer: sessionAnswer,

  handle(_context, { session }) {
    if (session === undefined) throw new AppError('not_found', 'This request has no session')
    return { csrf_token: csrfTokenOf(session) }
  },
})
