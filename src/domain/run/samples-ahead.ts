/**
 * Which of the items ahead to try when many in a row were refused: one of each window, by their distance. Windows grow
 * by `step`, so that they are few, however many items there are. The epoch chooses within them: over as many runs as a
 * window has items, each of them is tried.
 */
export function samplesAhead(epoch: number, step: number): (distance: number) => boolean {
  let size = step;
  let begin = 0;
  return (distance) => {
    while (distance >= begin + size) {
      begin += size;
      size += step;
    }
    return distance === begin + (epoch % size);
  };
}
