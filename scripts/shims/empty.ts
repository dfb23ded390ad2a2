// Stands for fs, os, path, net and tls, which rhea loads and which the control plane never reaches.
export {};
