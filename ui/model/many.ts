/** Those whose names contain a text, whatever their case. */
export function withText<Item>(items: readonly Item[], nameOf: (item: Item) => string, text: string): readonly Item[] {
  const wanted = text.trim().toLowerCase();
  return wanted === '' ? items : items.filter((item) => nameOf(item).toLowerCase().includes(wanted));
}
