// Accepts every pending request that it finds, by the Model Context Protocol alone.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url, mode] = process.argv.slice(2);
const agent = new Client({ name: "agent", version: "1" }, { versionNegotiation: { mode } });
await agent.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
const { tools } = await agent.listTools();
const inbox = async () => {
  const page = await agent.callTool({ name: "list_connections", arguments: { statuses: ["pending_incoming"] } });
  return page.structuredContent.connections;
};
const accepted = [];
for (const { platform, user_id, actions } of await inbox()) {
  if (actions.includes("accept")) {
    const result = await agent.callTool({ name: "act_on_connection", arguments: { platform, user_id, action: "accept" } });
    accepted.push(result.structuredContent.status);
  }
}
const refused = await agent.callTool({ name: "explain_connection", arguments: { platform: "nowhere", user_id: "1" } });
console.log(
  JSON.stringify({
    server: agent.getServerVersion().name,
    version: agent.getNegotiatedProtocolVersion(),
    tools: tools.map((tool) => tool.name),
    accepted,
    left: (await inbox()).length,
    isError: refused.isError,
    problem: JSON.parse(refused.content[0].text).type,
  }),
);
await agent.close();
