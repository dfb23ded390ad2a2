// A hook of Node's module loader: resolves rhea to the module that tsx.mjs has written.
let rhea;

export function initialize(url) {
  rhea = url;
}

export function resolve(specifier, context, next) {
  return next(specifier === "rhea/lib/connection.js" ? rhea : specifier, context);
}
