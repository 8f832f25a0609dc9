// What the EVM of the oldest supported network knows: the opcodes up to and including the Berlin fork.

const RANGES = [
  [0x00, 0x0b], [0x10, 0x1d], [0x20, 0x20], [0x30, 0x3f], [0x40, 0x47], [0x50, 0x5b], [0x60, 0xa4], [0xf0, 0xf5],
  [0xfa, 0xfa], [0xfd, 0xff],
];
const IS_BERLIN = new Array(256).fill(false);
for (const [first, last] of RANGES) IS_BERLIN.fill(true, first, last + 1);

const PUSH1 = 0x60;
const PUSH32 = 0x7f;

/**
 * The first opcode of `code` (hex with 0x) that a Berlin EVM does not know, or `undefined`. Push data is skipped, and
 * so is the CBOR tail of the compiler, whose length stands in the last two bytes. Constructor code that carries its
 * deployed code is read in one go: the two are separated by INVALID, and both begin at an instruction.
 */
export function firstForeignOpcode(code) {
  const bytes = Buffer.from(code.slice(2), "hex");
  const end = bytes.length - 2 - bytes.readUInt16BE(bytes.length - 2);
  for (let offset = 0; offset < end; offset += 1) {
    const opcode = bytes[offset];
    if (!IS_BERLIN[opcode]) return { opcode: `0x${opcode.toString(16).padStart(2, "0")}`, offset };
    if (opcode >= PUSH1 && opcode <= PUSH32) offset += opcode - PUSH1 + 1;
  }
  return undefined;
}
