type Constructor = { prototype: object };

/** The part of Node's util that rhea uses. */
export function inherits(child: Constructor, parent: Constructor): void {
  Object.setPrototypeOf(child.prototype, parent.prototype);
}
