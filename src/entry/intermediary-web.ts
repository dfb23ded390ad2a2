export * from "./intermediary-names.js";
