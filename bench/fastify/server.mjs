// The yardstick: Fastify with a response schema, answering the same body from a Map.
import { readFileSync } from "node:fs";
import Fastify from "fastify";

const body = JSON.parse(readFileSync(process.argv[2], "utf8"));
const kept = new Map([["answer", body]]);

const schemaOf = (value) => {
  if (Array.isArray(value)) return { type: "array", items: value.length ? schemaOf(value[0]) : {} };
  if (value && typeof value === "object")
    return { type: "object", properties: Object.fromEntries(Object.entries(value).map(([k, v]) => [k, schemaOf(v)])) };
  if (typeof value === "number") return { type: "number" };
  return { type: typeof value };
};

const server = Fastify({ logger: false });
server.get("/", { schema: { response: { 200: schemaOf(body) } } }, async (request) => {
  if (!request.query.url) throw new Error("url is missing");
  return kept.get("answer");
});
await server.listen({ host: "127.0.0.1", port: 0 });
console.log(server.server.address().port);
