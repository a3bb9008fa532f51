const { CLIENT_ID, CLIENT_SECRET } = process.env;

const answer = await fetch("https://auth.example.com/api/oauth/token", {
  method: "POST",
  headers: { Authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
  body: new URLSearchParams({ grant_type: "client_credentials", scope: "orders:read" }),
});
if (!answer.ok) throw new Error(await answer.text());
const { access_token } = await answer.json();
