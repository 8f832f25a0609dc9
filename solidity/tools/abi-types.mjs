// How the entries of an ABI are told apart.

/** The canonical type of a parameter: a tuple is spelled out. */
export function typeOf({ type, components }) {
  return type.startsWith("tuple") ? `(${components.map(typeOf).join(",")})${type.slice("tuple".length)}` : type;
}

/** What tells an entry from every other: its kind, its name and the types of its parameters. */
export function signatureOf({ type, name, inputs }) {
  return `${type} ${name}(${inputs.map(typeOf).join(",")})`;
}
