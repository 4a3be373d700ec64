import "https://gateway.example.com/client/element.js";

const list = document.createElement("ul");
for (let id = 1000; id < 1100; id += 1) {
  const card = document.createElement("li");
  const status = document.createElement("connection-status");
  Object.assign(status, { platform: "acme", userId: String(id), label: `User ${id}` });
  card.append(`User ${id} `, status);
  list.append(card);
}
document.body.append(list);
