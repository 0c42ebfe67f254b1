// Draws /openapi.json as a page where every GET can be tried. No dependencies, no inline code, no HTML from text.
"use strict";

function node(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function input(parameter) {
  const schema = parameter.schema || {};
  const name = parameter.name;
  if (schema.enum || schema.type === "boolean") {
    const choices = schema.enum || ["true", "false"];
    const options = ["", ...choices].map((value) => node("option", { value, textContent: value || `(${schema.default})` }));
    return node("select", { name, ariaLabel: name }, ...options);
  }
  const placeholder = schema.default === undefined ? "" : String(schema.default);
  return node("input", { name, ariaLabel: name, placeholder, autocomplete: "off", spellcheck: false });
}

function table(parameters) {
  const rows = parameters.map((parameter) =>
    node("tr", {},
      node("td", {}, node("code", { textContent: parameter.name })),
      node("td", { className: "wide", textContent: parameter.description || "" }),
      node("td", {}, input(parameter))));
  return node("table", {}, node("tbody", {}, ...rows));
}

function address(path, parameters, form) {
  const query = new URLSearchParams();
  let filled = path;
  for (const parameter of parameters) {
    const value = form.elements[parameter.name].value;
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value) query.set(parameter.name, value);
  }
  return query.size ? `${filled}?${query}` : filled;
}

async function shown(reply) {
  const text = await reply.text();
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function trial(path, parameters) {
  const output = node("pre", { hidden: true });
  const form = node("form", {}, ...(parameters.length ? [table(parameters)] : []), node("button", { textContent: "Try it" }), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const target = address(path, parameters, form);
    output.hidden = false;
    output.textContent = `GET ${target}\n…`;
    try {
      const reply = await fetch(`.${target}`, { headers: { Accept: "application/json" } });
      const type = reply.headers.get("content-type") || "";
      const body = /json|text/.test(type) ? await shown(reply) : `(${type || "no type"}, ${reply.headers.get("content-length") || "?"} bytes)`;
      output.textContent = `GET ${target}\n${reply.status}\n\n${body}`;
    } catch (error) {
      output.textContent = `GET ${target}\n${error}`;
    }
  });
  return form;
}

function operation(method, path, description) {
  const parameters = description.parameters || [];
  return node("details", {},
    node("summary", {},
      node("span", { className: "method", textContent: method.toUpperCase() }),
      node("code", { textContent: path }),
      node("span", { className: "quiet", textContent: description.summary || "" })),
    node("p", { textContent: description.description || "" }),
    ...(method === "get" ? [trial(path, parameters)] : []));
}

async function draw() {
  const place = document.getElementById("operations");
  try {
    const api = await (await fetch("openapi.json")).json();
    document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
    const groups = new Map();
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, description] of Object.entries(methods)) {
        const tag = (description.tags || ["other"])[0];
        groups.set(tag, [...(groups.get(tag) || []), operation(method, path, description)]);
      }
    }
    place.replaceChildren(...[...groups].flatMap(([tag, operations]) => [node("h2", { textContent: tag }), ...operations]));
  } catch (error) {
    place.replaceChildren(node("p", { textContent: `openapi.json could not be read: ${error}` }));
  }
}

draw();
