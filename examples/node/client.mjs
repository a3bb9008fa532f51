#!/usr/bin/env node
// A backend that calls a protected API with a token from Sealwright.
//
//   SEALWRIGHT_ISSUER         the issuer, such as https://auth.example.com
//   SEALWRIGHT_CLIENT_ID      the client
//   SEALWRIGHT_CLIENT_SECRET  its secret
//   API_URL                   the API to call, such as https://api.example.com/orders
//
//   node client.mjs [--calls N]
//
// `ClientCredentials` is the part to reuse: it gets a token once and shares it
// between all calls until shortly before it expires.

import { webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import * as openid from 'openid-client'

// Node.js 18 has Web Crypto, but only later versions have it as a global.
globalThis.crypto ??= webcrypto

const ATTEMPTS = 5
const TIMEOUT = 30_000 // milliseconds for one attempt
const LONGEST_WAIT = 60_000 // milliseconds; a longer Retry-After is not waited for

/**
 * `fetch` that retries after 429, 503 and network failures.
 *
 * Only for requests that may be repeated. A token request is one: a lost
 * response leaves at most an unused token behind.
 */
async function patientFetch(url, options) {
  for (let attempt = 1; ; attempt++) {
    // Exponential backoff. The random part keeps clients that failed together
    // from retrying together.
    let wait = (0.5 + Math.random() / 2) * 500 * 2 ** (attempt - 1)
    try {
      const response = await fetch(url, { redirect: 'manual', ...options, signal: AbortSignal.timeout(TIMEOUT) })
      wait += retryAfter(response)
      if (![429, 503].includes(response.status) || attempt === ATTEMPTS || wait > LONGEST_WAIT) return response
      await response.body?.cancel()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
    await sleep(wait)
  }
}

/** The milliseconds that a Retry-After field asks for (RFC 9110 section 10.2.3), or 0. */
function retryAfter({ headers }) {
  const value = headers.get('retry-after') ?? ''
  if (/^\d+$/.test(value)) return Number(value) * 1000
  return Math.max(0, Date.parse(value) - Date.now()) || 0
}

/** The client credentials grant (RFC 6749 section 4.4), its token kept until it is about to expire. */
class ClientCredentials {
  tokenRequests = 0
  #settings
  #config
  #token
  #renewAt = 0
  #pending

  constructor(issuer, clientId, clientSecret) {
    this.#settings = { issuer: new URL(issuer), clientId, clientSecret }
  }

  /** The current token, or a new one when the current one is about to expire. */
  async get() {
    if (performance.now() < this.#renewAt) return this.#token
    // Concurrent calls share one request.
    this.#pending ??= this.#fetch().finally(() => { this.#pending = undefined })
    return this.#pending
  }

  /** Drop a refused token, unless it has been replaced already. */
  forget(token) {
    if (token === this.#token) this.#renewAt = 0
  }

  async #fetch() {
    this.#config ??= await this.#discover()
    const askedAt = performance.now()
    this.tokenRequests++
    const { access_token, expires_in = 0 } = await openid.clientCredentialsGrant(this.#config)
    this.#token = access_token
    // Renew a minute early, so that no token expires on its way to the API. A
    // token with a short lifetime is renewed after nine tenths of it.
    this.#renewAt = askedAt + 1000 * (expires_in - Math.min(60, expires_in / 10))
    return access_token
  }

  /** The metadata of the issuer (RFC 8414), which say where its token endpoint is. */
  #discover() {
    const { issuer, clientId, clientSecret } = this.#settings
    // Plain HTTP is only for tests on one machine.
    const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
    return openid.discovery(issuer, clientId, undefined, openid.ClientSecretBasic(clientSecret), {
      execute: loopback ? [openid.allowInsecureRequests] : [],
      [openid.customFetch]: patientFetch,
    })
  }
}

/** GET the API. A token may be revoked before it expires, so a refused one is replaced, once. */
async function call(url, credentials) {
  for (let last = false; ; last = true) {
    const token = await credentials.get()
    const response = await patientFetch(url, { headers: { authorization: `Bearer ${token}` } })
    if (response.status !== 401 || last) return response
    await response.body?.cancel()
    credentials.forget(token)
  }
}

/** What went wrong, with the OAuth error (RFC 6749 section 5.2) where the issuer gave one. */
async function explain(error) {
  const challenged = error instanceof openid.WWWAuthenticateChallengeError
  if (challenged || error instanceof openid.ResponseBodyError) {
    // Where there is a challenge, the library leaves the body to be read.
    const body = challenged ? await error.response.json().catch(() => ({})) : error
    return [error.response.url, 'answered', error.status, body.error, body.error_description].filter(Boolean).join(' ')
  }
  if (error.cause instanceof Response) return `${error.cause.url} answered ${error.cause.status}`
  return [error.message, error.cause?.message].filter(Boolean).join(': ')
}

function usage(message) {
  console.error(`client.mjs: ${message}\nusage: node client.mjs [--calls N]`)
  process.exit(2)
}

function options() {
  try {
    const { values } = parseArgs({ options: { calls: { type: 'string', default: '2' } } })
    if (!/^\d+$/.test(values.calls)) usage('--calls takes a number')
    return { calls: Number(values.calls) }
  } catch (error) {
    usage(error.message)
  }
}

const { calls } = options()
const names = ['SEALWRIGHT_ISSUER', 'SEALWRIGHT_CLIENT_ID', 'SEALWRIGHT_CLIENT_SECRET', 'API_URL']
const missing = names.filter((name) => !process.env[name])
if (missing.length) usage(`set ${missing.join(', ')} in the environment`)
const [issuer, clientId, clientSecret, apiUrl] = names.map((name) => process.env[name])

try {
  const credentials = new ClientCredentials(issuer, clientId, clientSecret)
  for (let number = 1; number <= calls; number++) {
    const response = await call(apiUrl, credentials)
    const body = await response.json().catch(() => ({}))
    const { tokenRequests: token_requests } = credentials
    console.log(JSON.stringify({ call: number, status: response.status, token_requests, body }))
    if (!response.ok) {
      process.exitCode = 1
      console.error(`client.mjs: ${response.headers.get('www-authenticate') ?? response.statusText}`)
    }
  }
} catch (error) {
  process.exitCode = 1
  console.error(`client.mjs: ${await explain(error)}`)
}
