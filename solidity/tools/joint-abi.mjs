// One ABI for a contract that is made of parts behind one address: the first part answers what it knows and hands
// everything else to the next.

import { signatureOf } from "./abi-types.mjs";

export class JointAbiRefused extends Error {}

/**
 * The union of the parts' functions, events and errors: what a caller of `face` can ask, read in logs and be refused
 * with. Refused if two parts have the same function, of which a call would never find the second, or if the interface
 * promises a function or an event that no part has.
 */
export function jointAbi(face, faceAbi, parts) {
  const entries = new Map();
  for (const { contractName, abi } of parts) {
    for (const entry of abi.filter(({ name }) => name !== undefined)) {
      const signature = signatureOf(entry);
      if (entry.type === "function" && entries.has(signature)) {
        throw new JointAbiRefused(`${contractName}: ${signature} is in a part before it`);
      }
      entries.set(signature, entry);
    }
  }
  for (const signature of faceAbi.map(signatureOf)) {
    if (!entries.has(signature)) throw new JointAbiRefused(`${face}: ${signature} is in none of its parts`);
  }
  return [...entries.values()];
}
