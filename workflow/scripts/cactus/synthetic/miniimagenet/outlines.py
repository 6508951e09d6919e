"""Outlines of the objects, as lists of simple shapes.

Each line is a layer, a kind of shape and its points x,y in hundredths of the square that holds
the object, x to the right and y down; later shapes cover earlier ones. An ellipse is given by
two opposite corners of its box. Layers: the body carries the texture of the class, parts have a
plain color, holes show the background.
"""

OUTLINES = {
    "fish": """
        part polygon 30,50 2,22 10,50 2,78
        part polygon 42,34 60,10 74,34
        body ellipse 18,24 98,76
        part ellipse 80,38 89,47""",
    "bird": """
        part polygon 2,30 36,42 34,64
        body ellipse 20,32 80,78
        body ellipse 62,10 92,42
        part polygon 90,20 100,27 90,33
        part polygon 44,76 50,76 47,99 41,99
        part polygon 58,76 64,76 61,99 55,99""",
    "mushroom": """
        part polygon 39,45 61,45 67,98 33,98
        body polygon 3,54 8,32 24,13 50,5 76,13 92,32 97,54""",
    "mug": """
        part ellipse 54,28 98,74
        hole ellipse 62,38 88,64
        body polygon 8,12 72,12 68,92 12,92
        part ellipse 8,4 72,20""",
    "bottle": """
        part polygon 41,2 59,2 59,14 41,14
        body polygon 43,14 57,14 58,34 73,50 73,98 27,98 27,50 42,34""",
    "tree": """
        part polygon 42,60 58,60 60,99 40,99
        body polygon 50,1 74,32 64,32 85,58 72,58 95,84 5,84 28,58 15,58 36,32 26,32""",
    "house": """
        part polygon 2,46 50,4 98,46
        body polygon 12,46 88,46 88,96 12,96
        part polygon 42,66 58,66 58,96 42,96""",
    "car": """
        body polygon 2,68 4,50 22,46 34,26 68,26 84,46 97,50 98,68
        part ellipse 13,56 37,80
        part ellipse 63,56 87,80
        part polygon 38,31 64,31 73,45 31,45""",
    "star": """
        body polygon 50,2 62,36 98,37 69,59 80,95 50,74 20,95 31,59 2,37 38,36""",
    "heart": """
        body ellipse 4,10 53,58
        body ellipse 47,10 96,58
        body polygon 8,46 50,52 92,46 50,97""",
    "flower": """
        body ellipse 34,0 66,44
        body ellipse 34,56 66,100
        body ellipse 0,34 44,66
        body ellipse 56,34 100,66
        body ellipse 10,10 48,48
        body ellipse 52,10 90,48
        body ellipse 10,52 48,90
        body ellipse 52,52 90,90
        part ellipse 36,36 64,64""",
    "butterfly": """
        body ellipse 2,6 50,56
        body ellipse 50,6 98,56
        body ellipse 12,48 48,94
        body ellipse 52,48 88,94
        part ellipse 45,12 55,92""",
    "tyre": """
        body ellipse 3,3 97,97
        part ellipse 26,26 74,74
        hole ellipse 34,34 66,66""",
    "umbrella": """
        part polygon 48,40 53,40 53,88 62,88 62,82 68,82 68,96 48,96
        body polygon 2,52 10,28 28,11 50,4 72,11 90,28 98,52 80,46 66,52 50,46 34,52 20,46""",
    "boat": """
        part polygon 45,6 50,6 50,68 45,68
        body polygon 52,8 90,62 52,62
        body polygon 43,16 43,62 14,62
        part polygon 4,68 96,68 80,94 20,94""",
    "cat": """
        part polygon 10,6 44,26 14,52
        part polygon 90,6 56,26 86,52
        body ellipse 8,18 92,96
        part ellipse 26,44 40,58
        part ellipse 60,44 74,58
        part polygon 44,66 56,66 50,74""",
    "jellyfish": """
        part polygon 18,48 26,48 22,98 15,80
        part polygon 38,48 46,48 44,92 36,99
        part polygon 56,48 64,48 62,99 54,84
        part polygon 74,48 82,48 86,80 78,98
        body polygon 5,56 9,30 26,10 50,3 74,10 91,30 95,56 72,50 50,58 28,50""",
    "lamp": """
        part polygon 46,46 54,46 54,86 72,90 72,97 28,97 28,90 46,86
        body polygon 30,4 70,4 92,50 8,50""",
    "hourglass": """
        part polygon 10,2 90,2 90,12 10,12
        part polygon 10,88 90,88 90,98 10,98
        body polygon 18,12 82,12 78,30 55,50 78,70 82,88 18,88 22,70 45,50 22,30""",
    "leaf": """
        part polygon 47,70 53,70 52,100 48,100
        body polygon 50,1 70,18 82,42 76,66 50,84 24,66 18,42 30,18
        part polygon 49,14 51,14 52,80 48,80""",
    "vase": """
        part polygon 30,2 70,2 70,10 30,10
        body polygon 36,10 64,10 62,24 84,46 80,72 64,96 36,96 20,72 16,46 38,24""",
    "crab": """
        part ellipse 0,6 30,38
        part ellipse 70,6 100,38
        hole polygon 15,4 22,20 10,20
        hole polygon 85,4 78,20 90,20
        part polygon 14,34 24,30 40,56 32,62
        part polygon 86,34 76,30 60,56 68,62
        part polygon 4,92 28,64 34,68 12,96
        part polygon 96,92 72,64 66,68 88,96
        body ellipse 16,42 84,88""",
}
