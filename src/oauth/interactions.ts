import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { InteractionResults, Provider } from 'oidc-provider'
import { networkOf } from '#identity/addresses'
import { isScope, meaningOf, type Scope, ALL_SCOPES } from '#identity/scopes'
import { AppError, toAppError } from '#kernel/errors'
import { accountIdOf, findAccountUser } from './accounts.ts'
import { answerHtml, readText, type Exchange } from './exchange.ts'
import type { OauthDeps } from './oauth-deps.ts'
import { pageHeaders } from './page-headers.ts'
import { consentPage, errorPage, loginPage, type ClientFacts } from './pages.ts'
import { PATHS } from './paths.ts'
import { senderOf } from './records.ts'
import { formTarget, leadsToThisMachine } from './redirect-rules.ts'

const FORM_BYTES_MAX = 8 * 1024

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

interface Scene extends Exchange {
  readonly provider: Provider
  readonly interaction: Interaction
  readonly client: ClientFacts
  readonly redirect: string
}

/** The two pages between a request for authorization and its answer: who are you, and do you want this. */
export interface Interactions {
  handle(exchange: Exchange, provider: Provider): Promise<void>
}

export function createInteractions(deps: OauthDeps): Interactions {
  const csrfKey = Buffer.from(hkdfSync('sha256', deps.secret, '', 'metamcp oauth csrf v1', 32))
  const csrfOf = ({ interaction }: Scene): string =>
    createHmac('sha256', csrfKey).update(`${interaction.uid} ${interaction.prompt.name}`).digest('base64url')
  const show = async (scene: Scene, problem?: LoginProblem): Promise<void> => {
    const form = { action: PATHS.interaction + scene.interaction.uid, csrf: csrfOf(scene), client: scene.client }
    const isLogin = scene.interaction.prompt.name === 'login'
    const page = isLogin
      ? loginPage({ ...form, ...problem?.facts })
      : consentPage({ ...form, ...(await consentFacts(scene, deps)) })
    const headers = { ...pageHeaders([formTarget(scene.redirect)]), ...problem?.headers }
    answerHtml(scene, problem?.status ?? 200, page, headers)
  }
  return {
    async handle(exchange, provider) {
      const scene = await sceneOf(exchange, provider)
      if (!scene) return expired(exchange)
      if (exchange.request.method !== 'POST') return show(scene)
      const form = new URLSearchParams(await readText(exchange.request, FORM_BYTES_MAX))
      if (!isSame(form.get('csrf') ?? '', csrfOf(scene)))
        return answerHtml(exchange, 403, errorPage(FOREIGN_FORM), pageHeaders())
      const action = form.get('do')
      if (action === 'deny') return deny(scene, deps)
      if (action === 'switch') return startAgain(scene)
      if (action === 'login' && scene.interaction.prompt.name === 'login') return logIn(scene, form, deps, show)
      if (action === 'allow' && scene.interaction.prompt.name === 'consent') return allow(scene, deps)
      return show(scene)
    },
  }
}

const DENIED = { error: 'access_denied', error_description: 'The user did not allow it' }
const FOREIGN_FORM = { error: 'invalid_request', description: 'This form was not made for this login.' }
const EXPIRED = { error: 'expired', description: 'This login has expired, or began in another browser.' }

function expired(exchange: Exchange): void {
  answerHtml(exchange, 400, errorPage(EXPIRED), pageHeaders())
}

/** The interaction of this browser: the one that its cookie names, which must be that of the address. */
async function sceneOf(exchange: Exchange, provider: Provider): Promise<Scene | undefined> {
  const { request, response, path } = exchange
  const interaction = await provider.interactionDetails(request, response).catch((thrown: unknown) => {
    if (thrown instanceof Error && thrown.name === 'SessionNotFound') return undefined
    throw thrown
  })
  if (!interaction || path !== PATHS.interaction + interaction.uid) return undefined
  const { client_id: clientId, redirect_uri: redirect } = interaction.params
  const client = await provider.Client.find(String(clientId))
  if (!client) return undefined
  const id = client.clientId
  const host = id.startsWith('https://') ? new URL(id).host : undefined
  const name = shortened(client.clientName ?? host ?? id)
  return { ...exchange, provider, interaction, client: { name, id, host }, redirect: String(redirect) }
}

const NAME_CHARS_MAX = 80

/** A name must not push the rest of the page away, nor turn the direction of its text around. */
function shortened(name: string): string {
  const plain = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
  return plain.length > NAME_CHARS_MAX ? `${plain.slice(0, NAME_CHARS_MAX)}…` : plain
}

interface LoginProblem {
  readonly status: number
  readonly headers: Record<string, string> | undefined
  readonly facts: { readonly username: string; readonly problem: string }
}

type Show = (scene: Scene, problem?: LoginProblem) => Promise<void>

async function logIn(scene: Scene, form: URLSearchParams, deps: OauthDeps, show: Show): Promise<void> {
  const { identity, rates, records, log } = deps
  const username = form.get('username') ?? ''
  const origin = senderOf(scene.request, deps)
  const event = { action: 'oauth:login', clientId: scene.client.id, facts: origin } as const
  try {
    await rates.admit('login', networkOf(origin.ip ?? ''), scene.response)
    const user = await identity.logins.login(username, form.get('password') ?? '', origin)
    await records.record({ ...event, actor: user.id, username: user.username, outcome: 'success' })
    await forgetOther(scene, accountIdOf(user))
    await finish(scene, { login: { accountId: accountIdOf(user) } })
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.code === 'internal_error') log.error({ error: thrown }, 'login page failed')
    if (error.status === 401) await records.record({ ...event, actor: '', outcome: 'denied', code: error.code })
    const { retry_after: seconds } = error.details
    const headers = typeof seconds === 'number' ? { 'retry-after': String(seconds) } : undefined
    await show(scene, { status: error.status, headers, facts: { username, problem: error.message } })
  }
}

/** The session of somebody else in this browser ends with another login. */
async function forgetOther({ provider, interaction }: Scene, accountId: string): Promise<void> {
  if (interaction.session === undefined || interaction.session.accountId === accountId) return
  const session = await provider.Session.findByUid(interaction.session.uid)
  await session?.destroy()
  delete interaction.session
  await interaction.persist()
}

/** As if the client had only just sent the browser here, and nobody were logged in. */
async function startAgain({ provider, interaction, response }: Scene): Promise<void> {
  const session = interaction.session && (await provider.Session.findByUid(interaction.session.uid))
  await session?.destroy()
  await interaction.destroy()
  const given = Object.entries(interaction.params).filter(([, value]) => value !== undefined)
  const params = given.map(([name, value]): [string, string] => [name, String(value)])
  response.writeHead(303, {
    location: `${PATHS.provider.authorization}?${new URLSearchParams(params).toString()}`,
    'cache-control': 'no-store',
  })
  response.end()
}

async function granted({ provider, interaction }: Scene): Promise<InteractionResults> {
  const { session, params } = interaction
  if (!session) throw new AppError('invalid_request', 'Nobody is logged in')
  const grant = new provider.Grant({ accountId: session.accountId, clientId: String(params['client_id']) })
  grant.addResourceScope(String(params['resource']), scopesOf(interaction).join(' '))
  return { consent: { grantId: await grant.save() } }
}

async function allow(scene: Scene, deps: OauthDeps): Promise<void> {
  const result = await granted(scene)
  await deps.records.record({ ...(await consentEvent(scene, deps)), outcome: 'success' })
  await finish(scene, result)
}

async function deny(scene: Scene, deps: OauthDeps): Promise<void> {
  await deps.records.record({ ...(await consentEvent(scene, deps)), outcome: 'denied', code: DENIED.error })
  await finish(scene, DENIED)
}

async function consentEvent(scene: Scene, deps: OauthDeps) {
  const { interaction, redirect, client, request } = scene
  const user = await findAccountUser(deps.identity, interaction.session?.accountId ?? '')
  const resource = String(interaction.params['resource'])
  const granting = {
    client_name: client.name,
    scopes: scopesOf(interaction),
    resource,
    redirect: redirect.slice(0, 512),
  }
  const facts = { ...senderOf(request, deps), ...granting }
  const actor = user?.id ?? ''
  return { action: 'oauth:consent', clientId: client.id, actor, username: user?.username, facts } as const
}

/** Keeps what was found out before: the consent page follows the login page. */
function finish({ provider, request, response }: Scene, result: InteractionResults): Promise<void> {
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: !('error' in result) })
}

async function consentFacts({ interaction, redirect }: Scene, { identity }: OauthDeps) {
  const user = await findAccountUser(identity, interaction.session?.accountId ?? '')
  const scopes = scopesOf(interaction).map((name) => ({ name, meaning: meaningOf(name) }))
  const resource = String(interaction.params['resource'])
  return { username: user?.username ?? '', resource, redirect, scopes, isLocal: leadsToThisMachine(redirect) }
}

/** What a client asks for; where it says nothing, all that there is. */
function scopesOf({ params }: Interaction): readonly Scope[] {
  const { scope } = params
  return typeof scope === 'string' ? scope.split(' ').filter(isScope) : ALL_SCOPES
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
