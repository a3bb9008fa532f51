#!/usr/bin/env node
// openid-client as a client of Sealwright, jose as its resource server.
//
// Everything on the wire is made and read by these libraries; this script only
// says what is to be done and compares what came of it.
//
// Settings, all from the environment:
//   ISSUER         the issuer, exactly as its metadata spell it
//   CLIENT_ID      a client of that issuer
//   CLIENT_SECRET  its secret
//   ALGORITHM      ES256, RS256 or EdDSA: what this client's tokens are signed with
//   AUDIENCE       the audience that the client gets when it names none
//   SCOPE          scopes that the client may ask for, separated by spaces
//   TYP            the typ of its tokens; at+jwt unless set
//
// Prints one line a check. Exit status: 0, or 1 at the first check that fails,
// or 2 when a setting is missing.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { calculateJwkThumbprint, createRemoteJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'

// Node.js 18 has Web Crypto, but only later versions have it as a global.
globalThis.crypto ??= webcrypto

const settings = ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'ALGORITHM', 'AUDIENCE', 'SCOPE']
const missing = settings.find((name) => !process.env[name])
if (missing) {
  console.error(`openid-client: the environment variable ${missing} is not set`)
  process.exit(2)
}
const { ISSUER, CLIENT_ID, CLIENT_SECRET, ALGORITHM, AUDIENCE, SCOPE, TYP = 'at+jwt' } = process.env

const issuer = new URL(ISSUER)
const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname)
const execute = loopback ? [openid.allowInsecureRequests] : []

/** Print one line for a check; whatever goes wrong within it ends the run. */
async function check(name, body) {
  try {
    const result = await body()
    console.log(`openid-client: ok ${name}`)
    return result
  } catch (error) {
    const cause = error.cause?.message ?? error.error_description
    console.error(`openid-client: FAIL ${name}: ${error.name}: ${error.message}${cause ? ` (${cause})` : ''}`)
    process.exit(1)
  }
}

const discover = (algorithm, authentication = openid.ClientSecretBasic(CLIENT_SECRET)) =>
  openid.discovery(issuer, CLIENT_ID, undefined, authentication, { algorithm, execute, timeout: 10 })

/** The metadata as the server wrote them, without the helper methods that the library adds. */
const document = (config) => JSON.parse(JSON.stringify(config.serverMetadata()))

/** A token, and the JSON of the response before the library turned strings into numbers. */
async function fetchToken(authentication, parameters = {}) {
  const config = new openid.Configuration(as, CLIENT_ID, undefined, authentication)
  for (const extension of execute) extension(config)
  config.timeout = 10
  let wire
  config[openid.customFetch] = async (url, options) => {
    const response = await fetch(url, options)
    wire = await response.clone().json()
    return response
  }
  return { token: await openid.clientCredentialsGrant(config, { scope: SCOPE, ...parameters }), wire }
}

/** `client_secret_basic` by a client that skips the form-urlencoding of RFC 6749 section 2.3.1. */
const plainBasic = (secret) => (_as, { client_id }, _body, headers) =>
  headers.set('authorization', `Basic ${btoa(`${client_id}:${secret}`)}`)

const equal = (name, actual, expected) =>
  assert.ok(actual === expected, `${name} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`)
const words = (text) => text?.split(' ').sort().join(' ')

/** What a careful resource server asks of a response and its token (RFC 6749 5.1, RFC 9068 4). */
async function verify({ token, wire }) {
  equal('token_type', token.token_type, 'bearer')
  equal('the type of expires_in', typeof wire.expires_in, 'number')
  // expiresIn() counts down from the moment of the response.
  assert.ok(wire.expires_in - token.expiresIn() <= 5)
  equal('scope', words(wire.scope), words(SCOPE))
  assert.ok(!('refresh_token' in wire), 'there is a refresh_token (RFC 6749 section 4.4.3)')

  const { payload, protectedHeader } = await jwtVerify(token.access_token, jwks, {
    algorithms: [ALGORITHM],
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: CLIENT_ID,
    typ: TYP,
    requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'scope'],
  })
  equal('client_id', payload.client_id, CLIENT_ID)
  equal('the scope of the token', payload.scope, wire.scope)
  const key = jwks.jwks().keys.find(({ kid }) => kid === protectedHeader.kid)
  assert.ok(key, 'no kid, or one that is not in the JWKS')
  equal('kid (RFC 7638)', key.kid, await calculateJwkThumbprint(key))
  const remaining = payload.exp - Date.now() / 1000
  assert.ok(Math.abs(remaining - wire.expires_in) <= 5,
    `expires_in says ${wire.expires_in} s, exp says ${Math.round(remaining)} s`)
}

/**
 * The OAuth error code that a refusal carries. Where the response has a WWW-Authenticate,
 * the library throws that challenge and leaves the body to be read.
 */
async function refusal(promise) {
  const error = await promise.then(() => { throw new Error('a token was issued') }, (error) => error)
  if (error instanceof openid.ResponseBodyError) return error
  if (!(error instanceof openid.WWWAuthenticateChallengeError)) throw error
  const { error: code } = await error.response.json()
  return { status: error.status, error: code, schemes: error.cause.map(({ scheme }) => scheme) }
}

const as = await check('RFC 8414 metadata, well-known part between host and path', async () => {
  const metadata = document(await discover('oauth2'))
  equal('issuer', metadata.issuer, ISSUER)
  assert.ok(metadata.grant_types_supported.includes('client_credentials'), 'the grant is not advertised')
  return metadata
})

await check('OpenID spelling of the metadata, the same document', async () =>
  assert.deepEqual(document(await discover('oidc')), as, 'the two documents differ'))

const jwks = createRemoteJWKSet(new URL(as.jwks_uri))
await check('jwks_uri, a set of keys', () => jwks.reload())

await check(`client_secret_basic, id and secret form-urlencoded: an ${ALGORITHM} token that verifies`, async () =>
  verify(await fetchToken(openid.ClientSecretBasic(CLIENT_SECRET))))

await check('client_secret_basic, id and secret as they are: a token that verifies', async () =>
  verify(await fetchToken(plainBasic(CLIENT_SECRET))))

await check('client_secret_post: a token that verifies', async () =>
  verify(await fetchToken(openid.ClientSecretPost(CLIENT_SECRET))))

await check('audience asked for by name (RFC 8707): a token that verifies', async () => {
  const parameter = AUDIENCE.includes('://') ? 'resource' : 'audience'
  await verify(await fetchToken(openid.ClientSecretBasic(CLIENT_SECRET), { [parameter]: AUDIENCE }))
})

await check('client_secret_basic, wrong secret: invalid_client, challenged by Basic', async () => {
  const { status, error, schemes } = await refusal(fetchToken(openid.ClientSecretBasic('wrong')))
  assert.deepEqual({ status, error, schemes }, { status: 401, error: 'invalid_client', schemes: ['basic'] })
})

await check('client_secret_post, wrong secret: invalid_client', async () => {
  const { error } = await refusal(fetchToken(openid.ClientSecretPost('wrong')))
  equal('error', error, 'invalid_client')
})
