import { ConnectionStatus } from "https://gateway.example.com/client/element.js";

const [list, note] = ["ul", "p"].map((name) => document.querySelector(name));
const problems = [];
const pending = new Set();

function count() {
  note.textContent = [`${pending.size} pending.`, ...problems].join(" ");
}

list.addEventListener("connection-change", ({ target, detail }) => {
  if (detail.status !== "pending_incoming") pending.delete(target);
  count();
});

const found = ConnectionStatus.gateway.connections({
  status: "pending_incoming",
  onProblem: (problem) => problems.push(`${problem.platform}: ${problem.title}.`),
});
for await (const connection of found) {
  const item = document.createElement("li");
  const status = document.createElement("connection-status");
  status.connection = connection;
  status.label = `user ${connection.user_id} on ${connection.platform}`;
  item.append(status.label, " ", status);
  list.append(item);
  pending.add(status);
}
count();
