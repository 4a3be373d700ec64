import { Gateway } from "./gateway.js";

declare const gateway: Gateway;
export const noNumber = gateway.lookup("acme", 769658112378);
export const noAction = gateway.act("acme", "1", "befriend");
export const noStatus = gateway.connections({ status: "none" });
export const noHeaders = new Gateway("/", { headers: () => 7 });
export const noSecond = gateway.lookup("acme");
