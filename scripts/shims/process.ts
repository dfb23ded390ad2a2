/** The part of Node's process that rhea uses. */
export const process = {
  nextTick(task: () => void): void {
    queueMicrotask(task);
  },
};
