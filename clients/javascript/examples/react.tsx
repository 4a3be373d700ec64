import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Gateway } from "@connection-gateway/client";
import { GatewayProvider, useConnection } from "@connection-gateway/client/react";

const gateway = new Gateway("https://gateway.example.com");

function Person({ userId }: { userId: string }) {
  const { connection, problem, isLoading, acting, act } = useConnection("acme", userId);
  return (
    <li>
      User {userId}: {connection?.status ?? (isLoading ? "loading" : "unknown")} {problem?.message}
      {connection?.actions.map((action) => (
        <button key={action} disabled={acting !== null} onClick={() => act(action)}>{action}</button>
      ))}
      {problem && <button onClick={() => gateway.retry()}>Try again</button>}
    </li>
  );
}

function People() {
  return <ul>{["101", "102", "103", "105"].map((userId) => <Person key={userId} userId={userId} />)}</ul>;
}

export const root = createRoot(document.querySelector("#root")!);
root.render(
  <StrictMode>
    <GatewayProvider gateway={gateway}><People /></GatewayProvider>
  </StrictMode>,
);
