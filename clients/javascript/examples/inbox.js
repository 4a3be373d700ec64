import { ConnectionStatus } from "https://gateway.example.com/client/element.js";

const note = document.createElement("p");
const list = document.createElement("ul");
document.body.append(note, list);
note.role = "status";
let problems = "";

function count() {
  const pending = list.querySelectorAll("connection-status:state(pending-incoming)").length;
  note.textContent = `${pending} pending. ${problems}`;
}

list.addEventListener("connection-change", count);
const found = ConnectionStatus.gateway.connections({
  status: "pending_incoming",
  onProblem: (problem) => { problems += `${problem.platform}: ${problem.title}. `; },
});
for await (const connection of found) {
  const item = document.createElement("li");
  const status = document.createElement("connection-status");
  status.connection = connection;
  status.label = `user ${connection.user_id} on ${connection.platform}`;
  item.append(status.label, " ", status);
  list.append(item);
}
count();
