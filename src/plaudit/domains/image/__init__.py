"""Small pictures: drawn by a flow or a GAN under a reward, or painted stroke by stroke."""
