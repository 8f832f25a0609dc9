// Tables of the pages that are made of figures and texts.

/** A table; columns whose first cell is a number are aligned to the right. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const isNumber = (cell) => /^[\d,.]+×?$/.test(cell);
  return [line(head), line((rows[0] ?? head).map((cell) => (isNumber(cell) ? "---:" : "---"))), ...rows.map(line)].join("\n");
}
