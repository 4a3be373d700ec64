import { ConnectionStatus, Gateway } from "https://gateway.example.com/client/element.js";
import { viewerToken } from "./session.js";

ConnectionStatus.gateway = new Gateway("https://gateway.example.com", {
  headers: async ({ refused }) => ({ "X-Platform-Token": `acme=${await viewerToken({ renew: refused })}` }),
});
