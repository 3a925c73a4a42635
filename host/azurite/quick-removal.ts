/** What is used here of a collection of LokiJS, the database in which Azurite keeps what it knows of each blob. */
export interface LokiCollection {
  data: object[];
  remove(document: object): unknown;
  removeBatchByPositions(positions: number[]): unknown;
}

/** With more documents than that, one sort of every index costs less than the removal of one document after another. */
const FEW = 50;

/**
 * Azurite deletes a blob by a query. For that, LokiJS sorts all indexes of the collection again, which takes longer
 * than everything else in the request if there are thousands of blobs in all accounts, and Azurite answers no other
 * request meanwhile. The removal of one known document finds its place in each index instead.
 */
export function removeFewQuickly(prototype: LokiCollection): void {
  const removeMany = prototype.removeBatchByPositions;
  prototype.removeBatchByPositions = function (this: LokiCollection, positions) {
    if (positions.length > FEW) return removeMany.call(this, positions);
    const documents = positions.map((position) => this.data[position]!);
    for (const document of documents) this.remove(document);
  };
}
