// A TypeScript client that openapi-generator made of the document (typescript-axios), as a user has it.
//
// Settings, all from the environment:
//   ADDRESS  the server
//   KEY      an API key that may create clients and keys
//
// Exit status: 0, or 1 at the first check that fails.

import assert from "node:assert/strict";

import { isAxiosError } from "axios";

import {
  APIKeysApi,
  ApiKeyType,
  ClientsApi,
  Configuration,
  CreateTokenGrantTypeEnum,
  Environment,
  type Problem,
  ProblemCode,
  TokensApi,
  VerificationCode,
} from "./client/index.js";

const { ADDRESS, KEY } = process.env;
assert(ADDRESS && KEY);

const manager = new Configuration({ basePath: ADDRESS, apiKey: KEY });
const clients = new ClientsApi(manager);
const keys = new APIKeysApi(manager);

// Create: the secret comes with the object.
const billing = { name: "billing", scopes: ["orders:read"], allowed_ips: ["127.0.0.1"], rate_per_minute: null };
const { data: client } = await clients.createClient(billing, "create-billing-in-typescript");
assert(client.client_secret);
assert.equal(client.rate_per_minute, null);
const { data: key } = await keys.createKey({
  name: "nightly export",
  scopes: ["orders:read"],
  type: ApiKeyType.API_KEY_TYPE_PARTNER,
});
assert(key.key?.startsWith("sw_live_"));
const { data: again } = await clients.createClient(billing, "create-billing-in-typescript");
assert.deepEqual([again.id, again.client_secret], [client.id, client.client_secret]);

// Lists, page by page.
const { data: page } = await clients.listClients(Environment.Production, "billing");
assert.deepEqual(page.data.map((entry) => entry.id), [client.id]);
const limit = 1;
const none = undefined;
const noFilter = [none, none, none, none, none, none, none, none, none] as const;
const list = async (cursor?: string) => (await keys.listKeys(...noFilter, limit, cursor)).data;
const first = await list();
const second = await list(first.next_cursor ?? undefined);
assert.equal(first.data[0]?.id, key.id);
assert.notEqual(second.data[0]?.id, key.id);

// Change, rotate.
const { data: changed } = await keys.updateKey(key.id, { description: "Runs at night." });
assert.deepEqual([changed.description, changed.name], ["Runs at night.", "nightly export"]);
const { data: rotated } = await keys.rotateKey(key.id, undefined, { grace: "1h" });
assert(rotated.key && rotated.key !== key.key);
assert.deepEqual(rotated.values.map((value) => value.live), [true, true]);
const { data: rotatedClient } = await clients.rotateClientSecret(client.id);
assert(rotatedClient.client_secret);

// Verify: valid and refused.
const environment = Environment.Production;
const { data: valid } = await keys.verifyKey({ key: rotated.key, environment, scopes: ["orders:read"] });
assert(valid.valid && valid.code === VerificationCode.VERIFICATION_CODE_VALID);
assert.deepEqual([valid.id, valid.scopes, valid.owner], [key.id, ["orders:read"], null]);
const { data: refused } = await keys.verifyKey({ key: "nonsense", environment });
assert(!refused.valid && refused.code === VerificationCode.VERIFICATION_CODE_NOT_FOUND && refused.id === undefined);

// Tokens: create, introspect.
const basic = { username: client.id, password: rotatedClient.client_secret };
const tokens = new TokensApi(new Configuration({ basePath: ADDRESS, ...basic }));
const grant = CreateTokenGrantTypeEnum.ClientCredentials;
const { data: token } = await tokens.createToken(grant, undefined, undefined, undefined, undefined, "orders:read");
assert.deepEqual([token.token_type, token.expires_in], ["Bearer", 3600]);
const { data: active } = await tokens.introspectToken(token.access_token);
assert(active.active && active.client_id === client.id);
const { data: inactive } = await tokens.introspectToken("nonsense");
assert.deepEqual(inactive, { active: false });

// A refusal is a problem with a code.
await assert.rejects(clients.getClient("cli_00000000000000000000000000000000"), (error) => {
  assert(isAxiosError<Problem>(error));
  assert.equal(error.response?.status, 404);
  assert.equal(error.response.data.code, ProblemCode.PROBLEM_CODE_NOT_FOUND);
  return true;
});
