import { type Html, html } from './html.ts'

/** The whole style of all pages; the policy of the pages allows this one alone. */
export const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f4f5f7; color: #1c2024 }
main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: 12px; box-shadow: 0 1px 4px #0002 }
h1 { font-size: 1.3rem; margin: 0 0 1rem }
label { display: block; margin: 1rem 0 .25rem }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; border: 1px solid #8b929a; border-radius: 6px }
button { font: inherit; padding: .5rem 1.25rem; margin: 1.5rem .5rem 0 0; border: 1px solid #8b929a; border-radius: 6px; background: #fff }
button.first { background: #1c5fd4; border-color: #1c5fd4; color: #fff }
code { overflow-wrap: anywhere }
.warning { background: #fff4d6; border-radius: 6px; padding: .5rem .75rem }
.problem { background: #fde3e1; border-radius: 6px; padding: .5rem .75rem }
`

/** A client as the person is told of it. Nothing of this is verified but the address, where it is one. */
export interface ClientFacts {
  readonly name: string
  readonly id: string
  /** The host that publishes the client's document, of clients that have one. */
  readonly host?: string | undefined
}

interface FormFacts {
  /** Where the form goes. */
  readonly action: string
  readonly csrf: string
}

export interface LoginFacts extends FormFacts {
  readonly client: ClientFacts
  readonly username?: string
  readonly problem?: string
}

export function loginPage({ action, csrf, client, username = '', problem }: LoginFacts): string {
  return page(
    'Log in to MetaMCP',
    html`<p>${client.name} wants to use the tools of this gateway.</p>
      ${problem === undefined ? '' : html`<p class="problem" role="alert">${problem}</p>`}
      <form method="post" action="${action}">
        <input type="hidden" name="csrf" value="${csrf}" />
        <label for="username">User name</label>
        <input id="username" name="username" autocomplete="username" value="${username}" required autofocus />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required />
        <button class="first" name="do" value="login">Log in</button>
        <button name="do" value="deny" formnovalidate>Cancel</button>
      </form>`,
  )
}

export interface ConsentFacts extends FormFacts {
  readonly client: ClientFacts
  readonly username: string
  readonly resource: string
  readonly redirect: string
  /** Whether the answer goes to a program on the user's own machine, which proves nothing about itself. */
  readonly isLocal: boolean
  readonly scopes: readonly { readonly name: string; readonly meaning: string }[]
}

export function consentPage(facts: ConsentFacts): string {
  const { action, csrf, client, username, resource, redirect, isLocal, scopes } = facts
  const about =
    client.host === undefined
      ? html`It registered itself; nobody has verified its name.`
      : html`It is published by <code>${client.host}</code>.`
  return page(
    `Let ${client.name} use your tools?`,
    html`<p>${about}</p>
      <p>You are <strong>${username}</strong>. At <code>${resource}</code> it could:</p>
      <ul>
        ${scopes.map(({ name, meaning }) => html`<li>${meaning} (<code>${name}</code>)</li>`)}
      </ul>
      <p>The answer goes to <code>${redirect}</code></p>
      ${isLocal ? html`<p class="warning">That is a program on the machine of this browser. Go on only if you have just started the login there yourself.</p>` : ''}
      <p>Client: <code>${client.id}</code></p>
      <form method="post" action="${action}">
        <input type="hidden" name="csrf" value="${csrf}" />
        <button class="first" name="do" value="allow">Allow</button>
        <button name="do" value="deny">Deny</button>
        <button name="do" value="switch">Use another account</button>
      </form>`,
  )
}

/** What went wrong where nobody can be sent back to. */
export function errorPage({
  error,
  description,
}: {
  readonly error: string
  readonly description?: string | undefined
}): string {
  return page(
    'This login cannot go on',
    html`<p class="problem">${description ?? 'Something is wrong with the request.'}</p>
      <p>Go back to the program that sent you here and try again. (<code>${error}</code>)</p>`,
  )
}

function page(title: string, body: Html): string {
  const head = html`<meta charset="utf-8" /><meta name="viewport" content="width=device-width" /><title>
      ${title}
    </title>`
  const parts = [
    head.text,
    `<style>${STYLE}</style>`,
    html`<main>
      <h1>${title}</h1>
      ${body}
    </main>`.text,
  ]
  return `<!doctype html><html lang="en">${parts.join('\n')}</html>\n`
}
