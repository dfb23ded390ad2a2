/** The part of rhea's codec that reads typed values. */
declare module "rhea/lib/types.js" {
  export interface RheaTyped {
    type: { name: string };
    value: unknown;
    /** Of a described value. */
    descriptor?: RheaTyped;
  }
  const types: {
    Reader: new (
      bytes: Uint8Array,
    ) => {
      read(): RheaTyped;
      remaining(): number;
    };
  };
  export default types;
}
