import { randomUUID } from "node:crypto";

const answer = await fetch("https://auth.example.com/api/v1/clients", {
  method: "POST",
  headers: {
    Authorization: `Bearer ${process.env.TOKEN}`,
    "Content-Type": "application/json",
    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify({ name: "billing", scopes: ["orders:read"] }),
});
if (!answer.ok) throw new Error(await answer.text());
const { client_id, client_secret } = await answer.json(); // the secret is shown this once
