#!/usr/bin/env node
// An API that verifies Sealwright's tokens offline. A caller that is tied to customers sees only their orders.
//
//   SEALWRIGHT_ISSUER  the issuer whose tokens are accepted
//   AUDIENCE           the name of this API, which a token must have as `aud`
//   HOST, PORT         where to listen: 127.0.0.1 and 8000 unless set; 0 is any free port
//
//   node resource_server.mjs
//
// `authorize` and `serves` are the parts to reuse; they fit any framework.

import { createServer } from 'node:http'
import { webcrypto } from 'node:crypto'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

// Node.js 18 has Web Crypto, but only later versions have it as a global.
globalThis.crypto ??= webcrypto

const { SEALWRIGHT_ISSUER: ISSUER, AUDIENCE, HOST = '127.0.0.1', PORT = '8000' } = process.env
if (!ISSUER || !AUDIENCE) {
  console.error(`resource_server.mjs: set ${ISSUER ? 'AUDIENCE' : 'SEALWRIGHT_ISSUER'} in the environment`)
  process.exit(1)
}

// Set here, never taken from the token: an attacker chooses what the token says.
const ALGORITHMS = ['ES256', 'RS256', 'EdDSA']

/** A refused request: the status, headers and body of its response. */
class Refusal extends Error {
  constructor(status, headers, body) {
    super(body.error_description)
    Object.assign(this, { status, headers, body })
  }

  /** A response of RFC 6750 section 3. For a request without a token it has no error code (3.1). */
  static bearer(status, attributes = {}) {
    const challenge = Object.entries({ realm: 'orders', ...attributes }).map(([name, value]) => `${name}="${value}"`)
    const { error, error_description = 'An access token is required' } = attributes
    return new Refusal(status, { 'WWW-Authenticate': `Bearer ${challenge.join(', ')}` }, { error, error_description })
  }
}

/** The issuer's public keys, which jose fetches when needed and keeps for five minutes. */
async function discoverKeys() {
  const url = `${ISSUER.replace(/\/$/, '')}/.well-known/oauth-authorization-server`
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  const metadata = await response.json()
  if (metadata.issuer !== ISSUER) { // RFC 8414 section 3.3
    throw new Error(`${url} speaks for ${metadata.issuer}, not for ${ISSUER}`)
  }
  return createRemoteJWKSet(new URL(metadata.jwks_uri), { cacheMaxAge: 300_000 })
}

let keys
/** The keys are discovered once; after a failure, the next request tries again. */
const signingKeys = () => (keys ??= discoverKeys().catch((error) => { keys = undefined; throw error }))

// Error codes of jose for unusable keys; all other errors are about the token.
const KEY_PROBLEMS = ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID']

/** The claims of an access token (RFC 9068 section 4), or a Refusal. */
async function verify(token) {
  try {
    const { payload } = await jwtVerify(token, await signingKeys(), {
      algorithms: ALGORITHMS,
      issuer: ISSUER,
      audience: AUDIENCE,
      typ: 'at+jwt', // other JWTs of the same issuer are not access tokens
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    })
    // A token without the claim may be used for every customer: one that cannot be read must not pass for it.
    const tied = payload.customers ?? (('customers' in payload) ? [] : ['any'])
    if (!Array.isArray(tied) || tied.length === 0 || !tied.every((customer) => typeof customer === 'string')) {
      throw new errors.JWTClaimValidationFailed('"customers" is not a list of external ids', payload, 'customers')
    }
    return payload
  } catch (error) {
    if (error instanceof errors.JOSEError && !KEY_PROBLEMS.includes(error.code)) {
      console.error('token refused: %j', error.message) // %j escapes text of the sender
      throw Refusal.bearer(401, {
        error: 'invalid_token',
        error_description: 'The access token is expired, malformed or not meant for this API',
      })
    }
    // The token may be valid: the caller should keep it and try again.
    console.error(`no keys: ${error.message}`)
    throw new Refusal(503, { 'Retry-After': '5' }, { error_description: 'Tokens cannot be verified at the moment' })
  }
}

/**
 * Whether a granted scope covers a required one, by Sealwright's rules: a level
 * (`read`, `write`, `delete`) covers that action on every resource, `orders:*`
 * every action on orders, and `admin` everything.
 */
function covers(granted, required) {
  const [resource, action] = required.split(':')
  return [required, 'admin', ...(action ? [action, `${resource}:*`] : [])].includes(granted)
}

/** The claims of the token that a request carries, if it has a scope; else a Refusal. */
async function authorize(request, scope) {
  const [, token] = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '') ?? []
  if (token === undefined) throw Refusal.bearer(401)
  const claims = await verify(token)
  if (!String(claims.scope ?? '').split(' ').some((granted) => covers(granted, scope))) {
    throw Refusal.bearer(403, {
      error: 'insufficient_scope',
      error_description: 'The access token lacks a scope',
      scope,
    })
  }
  return claims
}

/** Whether a caller may see a customer's data. A token without the claim may be used for every customer. */
const serves = (claims, customer) => claims.customers === undefined || claims.customers.includes(customer)

// `customer` is the external id by which Sealwright knows the tenant.
const ORDERS = [
  { id: 1, customer: 'acme', item: 'sealing wax' },
  { id: 2, customer: 'globex', item: 'ribbon' },
]

const routes = [
  // The orders that the caller may see or, with `?customer=`, those of one customer.
  [/^GET \/orders$/, async (request, { searchParams }) => {
    const claims = await authorize(request, 'orders:read')
    const wanted = searchParams.get('customer')
    if (wanted !== null && !serves(claims, wanted)) {
      throw new Refusal(403, {}, {
        error: 'access_denied',
        error_description: 'The credential is tied to other customers',
      })
    }
    const orders = ORDERS.filter(({ customer }) => serves(claims, customer) && [null, customer].includes(wanted))
    return { orders, client_id: claims.client_id }
  }],
  // One order. An order of a customer that the caller does not serve does not exist for it.
  [/^GET \/orders\/([0-9]+)$/, async (request, _, number) => {
    const claims = await authorize(request, 'orders:read')
    const order = ORDERS.find(({ id, customer }) => id === Number(number) && serves(claims, customer))
    if (!order) throw new Refusal(404, {}, { error_description: 'There is no such order' })
    return order
  }],
]

function send(response, status, headers, body) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

const server = createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://localhost')
    for (const [pattern, route] of routes) {
      const match = pattern.exec(`${request.method} ${url.pathname}`)
      if (match) return send(response, 200, {}, await route(request, url, ...match.slice(1)))
    }
    throw new Refusal(404, {}, { error_description: 'The path does not exist' })
  } catch (error) {
    if (error instanceof Refusal) return send(response, error.status, error.headers, error.body)
    console.error(error)
    send(response, 500, {}, { error_description: 'The service failed' })
  }
})

server.listen(Number(PORT), HOST, () => {
  console.log(`listening on http://${HOST}:${server.address().port}`)
})
