import { loginRequest, sessionAnswer } from '#contract/auth'
import { AppError } from '#kernel/errors'
import { csrfTokenOf, sessionCookie } from '../../cookie-session.ts'
import { endpoint } from '../../endpoint.ts'

export const openSession = endpoint({
  method: 'POST',
  path: '/api/v1/auth/session',
  access: 'public',
  rate: 'login',
  group: 'auth',
  summary: 'A session of a browser, in a cookie, for a user name and a password; the one before it ends',
  body: loginRequest,
  status: 200,
  answer: sessionAnswer,

  async handle({ identity }, { body: { username, password }, origin, told, session, setCookie }) {
    const user = await identity.logins.login(username, password, origin)
    told.actor = { id: user.id, username: user.username }
    if (session !== undefined) await identity.pairs.end(session).catch(unlessEnded)
    const { accessToken, expiresInSeconds } = await identity.pairs.open(user)
    setCookie(sessionCookie(accessToken, expiresInSeconds))
    return { csrf_token: csrfTokenOf(accessToken) }
  },
})

/** One that has ended already needs no ending, nor one that somebody made up. */
function unlessEnded(thrown: unknown): void {
  if (!(thrown instanceof AppError) || thrown.code !== 'authentication_error') throw thrown
}
