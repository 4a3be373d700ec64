import { ConnectionStatus, words } from "@connection-gateway/client/element";
import { GatewayProvider, useConnection } from "@connection-gateway/client/react";

declare const status: ConnectionStatus;
export const noNumber = () => { status.userId = 769658112378; };
export const noText = () => { status.connection = "connected"; };
export const noAddress = () => { ConnectionStatus.gateway = "https://gateway.example.com"; };
export const noEnglish = () => { words.en = { connected: "Connected" }; };
export const noDetail = () => { document.addEventListener("connection-change", ({ detail }) => detail.state); };
export const noAction = () => { void useConnection("acme", "1").act("befriend"); };
export const noField = () => useConnection("acme", "1").data;
export const noProvider = <GatewayProvider>nothing</GatewayProvider>;
