import { ConfigurationError, getRpcClient } from "oslo-messaging";

/** Calls at the URL in `?url=`, and shows the reply and the error of an invalid option. */
export async function run(transportTo, invalidUrl) {
  try {
    transportTo(invalidUrl);
  } catch (error) {
    show("refusal", error instanceof ConfigurationError ? error.key : "not a ConfigurationError");
  }
  const query = new URLSearchParams(location.search);
  const client = getRpcClient(transportTo(query.get("url")), { topic: query.get("topic") });
  show("answer", await client.call({}, "echo", { arg: "page" }));
}

function show(id, value) {
  document.getElementById(id).textContent = String(value);
}
