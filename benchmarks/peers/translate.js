// The endpoint in nginx itself, with njs.
const STATUS = {
  PENDING_INCOMING: "pending_incoming",
  PENDING_OUTGOING: "pending_outgoing",
  ACCEPTED: "connected",
  REJECTED: "rejected",
};
const ACTIONS = {
  none: ["request"],
  pending_incoming: ["accept", "reject"],
  pending_outgoing: [],
  connected: ["remove"],
  rejected: ["request"],
};

function rfc3339(ms) {
  return ms === undefined ? null : new Date(ms).toISOString();
}

async function lookup(r) {
  const parts = r.uri.split("/");
  const answer = await r.subrequest(`/pod/v1/connection/user/${parts[4]}/info`);
  if (answer.status !== 200 && answer.status !== 404) {
    r.return(502);
    return;
  }
  const found = answer.status === 200 ? JSON.parse(answer.responseText) : {};
  const status = found.status === undefined ? "none" : STATUS[found.status];
  r.headersOut["Content-Type"] = "application/json";
  r.return(
    200,
    JSON.stringify({
      platform: parts[3],
      user_id: parts[4],
      status: status,
      native_status: found.status === undefined ? null : found.status,
      actions: ACTIONS[status],
      first_requested_at: rfc3339(found.firstRequestedAt),
      updated_at: rfc3339(found.updatedAt),
      request_count: found.requestCounter === undefined ? null : found.requestCounter,
      as_of: new Date().toISOString(),
      stale: false,
    }),
  );
}

export default { lookup };
