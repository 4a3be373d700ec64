// Right uses of the element and of the hooks.
import { ConnectionStatus, words, type Connection } from "@connection-gateway/client/element";
import { useConnection } from "@connection-gateway/client/react";

export const status: ConnectionStatus = document.createElement("connection-status");
status.userId = "769658112378";
status.userId = 769658112378n;
status.connection = null;
document.addEventListener("connection-change", (event) => {
  const connection: Connection = event.detail;
  status.connection = connection;
});
words["de"] = { connected: "Verbunden", "platform-throttled": "Bitte warten." };

export function Status(): string {
  const { connection, act } = useConnection("acme", "1");
  void act("accept");
  return connection?.status ?? "";
}
