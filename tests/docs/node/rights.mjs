// What the protocol's own client sees with these headers: the tools, a result of each that needs no right to act, or why not.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const [url, headers] = process.argv.slice(2);
const agent = new Client({ name: "agent", version: "1" });
try {
  const requestInit = { headers: JSON.parse(headers) };
  await agent.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  const { tools } = await agent.listTools();
  const target = { platform: "acme", user_id: "102" };
  const given = {
    list_platforms: {},
    list_connections: { platforms: ["acme"] },
    lookup_connections: { users: [target, { platform: "nowhere", user_id: "1" }] },
    explain_connection: target,
    act_on_connection: { ...target, action: "accept" },
  };
  const failed = [];
  for (const [name, args] of Object.entries(given)) {
    // It checks each result against the tool's outputSchema, and throws if that does not fit.
    if ((await agent.callTool({ name, arguments: args })).isError) failed.push(name);
  }
  console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), failed }));
  await agent.close();
} catch (error) {
  console.log(JSON.stringify({ refused: String(error).includes("403") ? 403 : String(error) }));
}
